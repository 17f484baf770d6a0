import { matchesTerm } from "../../api/node-selector.ts";
import { normalize, type Score } from "./score.ts";

/** The weights of the preferred node affinity terms that a node meets. */
export const nodePreference: Score = {
  name: "NodeAffinity",
  weight: 2,
  rate({ pod }, nodes) {
    const terms = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (terms.length === 0) return undefined;
    return normalize(
      nodes.map(({ node }) =>
        terms.reduce(
          (sum, { preference, weight }) => sum + (node && matchesTerm(preference, node) ? weight : 0),
          0,
        ),
      ),
    );
  },
};
