import { tolerates } from "../../api/taints.ts";
import { normalize, type Score } from "./score.ts";

/** Fewer untolerated PreferNoSchedule taints are better. */
export const taintPreference: Score = {
  name: "TaintToleration",
  weight: 3,
  rate({ pod }, nodes) {
    const against = nodes.map(
      ({ node }) =>
        (node?.spec?.taints ?? []).filter(
          (taint) => taint.effect === "PreferNoSchedule" && !tolerates(pod.spec.tolerations, taint),
        ).length,
    );
    return against.some((count) => count > 0) ? normalize(against, true) : undefined;
  },
};
