import { tolerates } from "../../api/taints.ts";
import { type Filter, rejectFinally } from "./filter.ts";

/** Taints that keep pods away, untolerated. */
export const taints: Filter = {
  name: "TaintToleration",
  helpedBy: new Set(["node-added", "node-changed"]),
  prepare:
    ({ pod }) =>
    ({ node }) => {
      const against = node?.spec?.taints?.find(
        (taint) => taint.effect !== "PreferNoSchedule" && !tolerates(pod.spec.tolerations, taint),
      );
      return (
        against && rejectFinally(`node(s) had untolerated taint {${against.key}: ${against.value ?? ""}}`)
      );
    },
};
