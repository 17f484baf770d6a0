// Every kind that the server serves, found by resource or by kind. Adding a kind is a line in builtinKinds;
// custom resources are added and removed while the server runs.
import type { AnyKind } from "./kind.ts";
import { configMapKind } from "./kinds/config-map.ts";
import { controllerRevisionKind } from "./kinds/controller-revision.ts";
import { cronJobKind } from "./kinds/cron-job.ts";
import { csiDriverKind } from "./kinds/csi-driver.ts";
import { csiNodeKind } from "./kinds/csi-node.ts";
import { daemonSetKind } from "./kinds/daemon-set.ts";
import { deploymentKind } from "./kinds/deployment.ts";
import { endpointSliceKind } from "./kinds/endpoint-slice.ts";
import { endpointsKind } from "./kinds/endpoints.ts";
import { eventKind } from "./kinds/event.ts";
import { faultKind } from "./kinds/fault.ts";
import { horizontalPodAutoscalerKind } from "./kinds/horizontal-pod-autoscaler.ts";
import { imageKind } from "./kinds/image.ts";
import { ingressKind } from "./kinds/ingress.ts";
import { ingressClassKind } from "./kinds/ingress-class.ts";
import { jobKind } from "./kinds/job.ts";
import { leaseKind } from "./kinds/lease.ts";
import { limitRangeKind } from "./kinds/limit-range.ts";
import { namespaceKind } from "./kinds/namespace.ts";
import { networkPolicyKind } from "./kinds/network-policy.ts";
import { nodeKind } from "./kinds/node.ts";
import { persistentVolumeKind } from "./kinds/persistent-volume.ts";
import { persistentVolumeClaimKind } from "./kinds/persistent-volume-claim.ts";
import { podKind } from "./kinds/pod.ts";
import { podDisruptionBudgetKind } from "./kinds/pod-disruption-budget.ts";
import { podTemplateKind } from "./kinds/pod-template.ts";
import { priorityClassKind } from "./kinds/priority-class.ts";
import { proxyWorkerKind } from "./kinds/proxy-worker.ts";
import { replicaSetKind } from "./kinds/replica-set.ts";
import { replicationControllerKind } from "./kinds/replication-controller.ts";
import { resourceQuotaKind } from "./kinds/resource-quota.ts";
import { runtimeClassKind } from "./kinds/runtime-class.ts";
import { secretKind } from "./kinds/secret.ts";
import { serviceKind } from "./kinds/service.ts";
import { serviceAccountKind } from "./kinds/service-account.ts";
import { statefulSetKind } from "./kinds/stateful-set.ts";
import { storageClassKind } from "./kinds/storage-class.ts";
import { volumeAttachmentKind } from "./kinds/volume-attachment.ts";
import type { Resource } from "./resource.ts";
import { kubernetesType, type TypeLookup } from "./schema.ts";
import { kindOfForm, storedKindOf } from "./served-form.ts";

export interface Registry {
  /** In the order of registration; a kind that is served in several forms counts once for each. */
  all(): readonly AnyKind[];
  /** Each kind once: as it is stored. */
  stored(): readonly AnyKind[];
  /** By the name in URLs: `find("apps", "v1", "deployments")`. */
  find(group: string, version: string, plural: string): AnyKind | undefined;
  byKind(group: string, version: string, kind: string): AnyKind | undefined;
  /** The resource under which objects lie that a reference names by any group and version that serves them. */
  storedAs(reference: { readonly apiVersion: string; readonly kind: string }): Resource | undefined;
  /** Kubernetes' types and those that registered kinds bring along. */
  readonly lookup: TypeLookup;
  /** Registers a kind, in place of one with the same group, version and plural. Returns the way to take it out again. */
  add(kind: AnyKind): () => void;
}

/** In discovery's order: the core group, then the others. */
export const builtinKinds: readonly AnyKind[] = [
  namespaceKind,
  nodeKind,
  leaseKind,
  podKind,
  replicationControllerKind,
  replicaSetKind,
  deploymentKind,
  jobKind,
  statefulSetKind,
  daemonSetKind,
  cronJobKind,
  horizontalPodAutoscalerKind,
  serviceKind,
  endpointsKind,
  endpointSliceKind,
  configMapKind,
  secretKind,
  serviceAccountKind,
  persistentVolumeKind,
  persistentVolumeClaimKind,
  eventKind,
  controllerRevisionKind,
  priorityClassKind,
  storageClassKind,
  volumeAttachmentKind,
  csiDriverKind,
  csiNodeKind,
  podTemplateKind,
  podDisruptionBudgetKind,
  resourceQuotaKind,
  limitRangeKind,
  ingressKind,
  ingressClassKind,
  networkPolicyKind,
  runtimeClassKind,
  imageKind,
  proxyWorkerKind,
  faultKind,
];

const keyOf = (group: string, version: string, name: string) => `${group}/${version}/${name}`;

export function createRegistry(kinds: readonly AnyKind[]): Registry {
  const byPlural = new Map<string, AnyKind>();
  const byName = new Map<string, AnyKind>();
  let all: readonly AnyKind[] = [];

  const removeOne = (kind: AnyKind) => {
    const { group, version, plural, kind: name } = kind.resource;
    // A later registration of the same resource is not this one's to take out.
    if (byPlural.get(keyOf(group, version, plural)) !== kind) return;
    byPlural.delete(keyOf(group, version, plural));
    byName.delete(keyOf(group, version, name));
    all = all.filter((one) => one !== kind);
  };
  const remove = (kind: AnyKind) => {
    for (const one of all.filter(({ form }) => form?.stored === kind)) removeOne(one);
    removeOne(kind);
  };
  const addOne = (kind: AnyKind) => {
    const { group, version, plural, kind: name } = kind.resource;
    const before = byPlural.get(keyOf(group, version, plural));
    if (before) remove(before);
    byPlural.set(keyOf(group, version, plural), kind);
    byName.set(keyOf(group, version, name), kind);
    all = [...all, kind];
  };
  const add = (kind: AnyKind) => {
    addOne(kind);
    for (const form of kind.servedAs ?? []) addOne(kindOfForm(kind, form));
    return () => remove(kind);
  };
  for (const kind of kinds) add(kind);

  const lookup: TypeLookup = (name) => {
    const known = kubernetesType(name);
    if (known) return known;
    for (const kind of all) if (kind.types && Object.hasOwn(kind.types, name)) return kind.types[name];
    return undefined;
  };
  return {
    all: () => all,
    stored: () => all.filter(({ form }) => !form),
    find: (group, version, plural) => byPlural.get(keyOf(group, version, plural)),
    byKind: (group, version, kind) => byName.get(keyOf(group, version, kind)),
    storedAs({ apiVersion, kind }) {
      const slash = apiVersion.indexOf("/");
      const found = byName.get(
        keyOf(apiVersion.slice(0, Math.max(slash, 0)), apiVersion.slice(slash + 1), kind),
      );
      return found && storedKindOf(found).resource;
    },
    lookup,
    add,
  };
}
