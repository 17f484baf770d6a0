import { type Filter, rejectFinally } from "./filter.ts";

const REJECTION = rejectFinally("node(s) didn't match the requested node name");

export const nodeName: Filter = {
  name: "NodeName",
  helpedBy: new Set(["node-added"]),
  prepare: ({ pod }) =>
    pod.spec.nodeName ? ({ name }) => (name === pod.spec.nodeName ? undefined : REJECTION) : undefined,
};
