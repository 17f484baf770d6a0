// Pod: what runs. The parts of its declaration lie in pod/; workloads share those that are about the pod template.
import type { Pod } from "../generated/types.ts";
import type { KindDefinition } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { podColumns } from "./pod/columns.ts";
import { defaultPod } from "./pod/defaults.ts";
import { keepOtherParts } from "./pod/parts.ts";
import { qualityOf } from "./pod/quality.ts";
import { validatePod, validatePodStatus } from "./pod/validate.ts";
import { validatePodUpdate } from "./pod/validate-update.ts";
import { podWarnings } from "./pod/warnings.ts";

export const pods: Resource<Pod> = {
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  namespaced: true,
};

export const podKind: KindDefinition<Pod> = {
  resource: pods,
  schema: "io.k8s.api.core.v1.Pod",
  singular: "pod",
  shortNames: ["po"],
  categories: ["all"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  defaults: defaultPod,
  prepareCreate(pod) {
    pod.status = { phase: "Pending", qosClass: qualityOf(pod.spec) };
    if (pod.spec.schedulingGates?.length) {
      pod.status.conditions = [
        {
          type: "PodScheduled",
          status: "False",
          reason: "SchedulingGated",
          message: "Scheduling is blocked due to non-empty scheduling gates",
        },
      ];
    }
  },
  prepareUpdate(pod, old, { subresource }) {
    keepOtherParts(pod, old, subresource);
    // The class is settled when the pod is made; status writers need not repeat it.
    if (pod.status && old.status?.qosClass) pod.status.qosClass ??= old.status.qosClass;
  },
  validate: validatePod,
  validateUpdate: (pod, old, { subresource }) =>
    subresource === "status" ? validatePodStatus(pod, old) : validatePodUpdate(pod, old, subresource),
  // As Kubernetes: people create pods, programs update them, often.
  warnings: (pod, old) => (old ? [] : podWarnings(pod, "spec")),
  columns: podColumns,
  fields: ({ spec, status }) => ({
    "spec.nodeName": spec.nodeName ?? "",
    "spec.restartPolicy": spec.restartPolicy ?? "",
    "spec.schedulerName": spec.schedulerName ?? "",
    "spec.serviceAccountName": spec.serviceAccountName ?? "",
    "spec.hostNetwork": String(spec.hostNetwork ?? false),
    "status.phase": status?.phase ?? "",
    "status.podIP": status?.podIPs?.[0]?.ip ?? status?.podIP ?? "",
    // Kubernetes takes the name, but never fills it in.
    "status.podIPs": "",
    "status.nominatedNodeName": status?.nominatedNodeName ?? "",
  }),
  gracePeriod({ spec, status }, requested) {
    // Nobody has to be waited for when no node has it or it has ended.
    if (!spec.nodeName || status?.phase === "Succeeded" || status?.phase === "Failed") return 0;
    const seconds = requested ?? spec.terminationGracePeriodSeconds ?? 0;
    return seconds < 0 ? 1 : seconds;
  },
};
