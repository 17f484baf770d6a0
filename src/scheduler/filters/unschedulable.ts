import { TAINT_UNSCHEDULABLE } from "../../api/names.ts";
import { tolerates } from "../../api/taints.ts";
import { type Filter, rejectFinally } from "./filter.ts";

const REJECTION = rejectFinally("node(s) were unschedulable");
const CORDONED = { key: TAINT_UNSCHEDULABLE, effect: "NoSchedule" };

/** Cordoned nodes, but for pods that tolerate it. */
export const unschedulable: Filter = {
  name: "NodeUnschedulable",
  helpedBy: new Set(["node-added", "node-changed"]),
  prepare: ({ pod }) =>
    tolerates(pod.spec.tolerations, CORDONED)
      ? undefined
      : ({ node }) => (node?.spec?.unschedulable ? REJECTION : undefined),
};
