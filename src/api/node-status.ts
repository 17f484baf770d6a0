import type { Node } from "./generated/types.ts";

export const isNodeReady = ({ status }: Readonly<Node>): boolean =>
  status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
