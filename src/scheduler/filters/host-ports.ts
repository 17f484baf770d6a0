import { type Filter, reject } from "./filter.ts";

const REJECTION = reject("node(s) didn't have free ports for the requested pod ports");

export const freeHostPorts: Filter = {
  name: "NodePorts",
  helpedBy: new Set(["node-added", "pod-removed"]),
  prepare: ({ hostPorts }) =>
    hostPorts.length === 0
      ? undefined
      : (node) => (hostPorts.some((port) => node.hasPort(port)) ? REJECTION : undefined),
};
