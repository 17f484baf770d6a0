import { requiredNodes } from "../../api/node-selector.ts";
import { type Filter, rejectFinally } from "./filter.ts";

const REJECTION = rejectFinally("node(s) didn't match Pod's node affinity/selector");

/** nodeSelector and required node affinity. */
export const nodeAffinity: Filter = {
  name: "NodeAffinity",
  helpedBy: new Set(["node-added", "node-changed"]),
  prepare: ({ pod }) => {
    const matches = requiredNodes(pod);
    return matches && (({ node }) => (node && matches(node) ? undefined : REJECTION));
  },
};
