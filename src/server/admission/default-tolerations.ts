// DefaultTolerationSeconds: how long a pod stays bound to a node that is not ready or cannot be reached, unless it says so
// itself. Unlike Kubernetes: the fast profile shortens it along with the rest of the timing.
import type { Pod, Toleration } from "../../api/generated/types.ts";
import { TAINT_NOT_READY, TAINT_UNREACHABLE } from "../../api/names.ts";
import type { Timing } from "../../base/timing.ts";
import { type AdmissionStep, isPod } from "./chain.ts";

export const defaultTolerations: AdmissionStep = {
  name: "DefaultTolerationSeconds",
  mutateCreate(object, { kind }, { timing }) {
    if (isPod(kind)) addTolerations(object as Pod, timing);
  },
  // A list that is replaced as a whole, as patches do it, need not name them again.
  mutateUpdate(object, _old, { kind, subresource }, { timing }) {
    if (isPod(kind) && subresource === "") addTolerations(object as Pod, timing);
  },
};

function addTolerations({ spec }: Pod, timing: Timing): void {
  const tolerationSeconds = Math.max(1, Math.round(timing.nodeTolerationMs / 1000));
  for (const key of [TAINT_NOT_READY, TAINT_UNREACHABLE]) {
    if (spec.tolerations?.some((one) => tolerates(one, key))) continue;
    spec.tolerations = [
      ...(spec.tolerations ?? []),
      { key, operator: "Exists", effect: "NoExecute", tolerationSeconds },
    ];
  }
}

const tolerates = (toleration: Toleration, key: string): boolean =>
  (!toleration.key || toleration.key === key) && (!toleration.effect || toleration.effect === "NoExecute");
