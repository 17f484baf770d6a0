// RuntimeClass: a pod's class must exist; its overhead, node selector and tolerations become the pod's.
import { isDeepStrictEqual } from "node:util";
import type { Pod, RuntimeClass } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { runtimeClasses } from "../../api/kinds/runtime-class.ts";
import { forbidden } from "../../api/status-error.ts";
import { storeKey } from "../keys.ts";
import { type AdmissionStep, isPod } from "./chain.ts";

export const runtimeClass: AdmissionStep = {
  name: "RuntimeClass",
  mutateCreate(object, { kind }, { store }) {
    if (!isPod(kind)) return;
    const pod = object as Pod;
    const { runtimeClassName: name } = pod.spec;
    const found = name
      ? (store.get(storeKey(runtimeClasses, undefined, name))?.object as RuntimeClass | undefined)
      : undefined;
    const refuse = (why: string) =>
      forbidden(pods, pod.metadata.name || pod.metadata.generateName || "", why);
    if (name && !found) throw refuse(`pod rejected: RuntimeClass "${name}" not found`);
    const overhead = found?.overhead?.podFixed;
    if (pod.spec.overhead && !overhead)
      throw refuse("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
    if (pod.spec.overhead && !isDeepStrictEqual(pod.spec.overhead, overhead))
      throw refuse("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
    if (overhead) pod.spec.overhead = { ...overhead };
    const { nodeSelector = {}, tolerations = [] } = found?.scheduling ?? {};
    for (const [key, value] of Object.entries(nodeSelector)) {
      const own = pod.spec.nodeSelector?.[key];
      if (own !== undefined && own !== value)
        throw refuse(
          `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
        );
      pod.spec.nodeSelector = { ...pod.spec.nodeSelector, [key]: value };
    }
    const missing = tolerations.filter(
      (one) => !pod.spec.tolerations?.some((own) => isDeepStrictEqual(own, one)),
    );
    if (missing.length > 0)
      pod.spec.tolerations = [...(pod.spec.tolerations ?? []), ...structuredClone(missing)];
  },
};
