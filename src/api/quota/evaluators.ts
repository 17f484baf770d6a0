// How each kind counts in a ResourceQuota: which of a quota's names it is measured by, how much one object takes, and which scopes it is in.
// Pods, Services and claims have measures of their own; everything else counts as one object.
import type {
  PersistentVolumeClaim,
  Pod,
  PodAffinityTerm,
  PodSpec,
  ResourceQuota,
  ScopedResourceSelectorRequirement as ScopeRequirement,
  Service,
} from "../generated/types.ts";
import { qualityOf } from "../kinds/pod/quality.ts";
import type { KubeObject } from "../object.ts";
import { groupResourceOf, type Resource } from "../resource.ts";
import { labelMatcher } from "../selectors.ts";
import { type Amounts, amountsOf, ONE } from "./amounts.ts";
import { isComputeName, podUsage, unsaidAmounts } from "./pod-amounts.ts";

export interface Evaluator {
  /** Whether objects of this kind are what the quota's `name` counts. */
  counts(name: string): boolean;
  usage(object: Readonly<KubeObject>, nowMs: number): Amounts;
  isInScope(object: Readonly<KubeObject>, scope: ScopeRequirement): boolean;
  /** What a quota on these names wants said and the object does not say. */
  unsaid?(object: Readonly<KubeObject>, names: readonly string[]): string | undefined;
  /** True when an update can take more than before. */
  readonly grows: boolean;
}

const STORAGE_CLASS = ".storageclass.storage.k8s.io/";
const OLD_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";
/** Core resources that quotas also count by their plain names. */
const PLAIN = ["configmaps", "secrets", "replicationcontrollers", "resourcequotas"];

const podEvaluator: Evaluator = {
  counts: isComputeName,
  usage: (object, nowMs) => podUsage(object as Pod, nowMs),
  isInScope: (object, scope) => isPodInScope((object as Pod).spec, scope),
  unsaid: (object, names) => unsaidAmounts(object as Pod, names),
  grows: false,
};

const serviceEvaluator: Evaluator = {
  counts: (name) => /^(count\/services|services(\.nodeports|\.loadbalancers)?)$/.test(name),
  usage: (object) => serviceUsage(object as Service),
  isInScope: () => false,
  grows: true,
};

const claimEvaluator: Evaluator = {
  counts: (name) =>
    /^(count\/)?persistentvolumeclaims$/.test(name) ||
    name === "requests.storage" ||
    name.endsWith(`${STORAGE_CLASS}requests.storage`) ||
    name.endsWith(`${STORAGE_CLASS}persistentvolumeclaims`),
  usage: (object) => claimUsage(object as PersistentVolumeClaim),
  isInScope: (object, scope) =>
    isNamedInScope((object as PersistentVolumeClaim).spec?.volumeAttributesClassName, scope, [
      "VolumeAttributesClass",
    ]),
  grows: true,
};

const OWN: Readonly<Record<string, Evaluator>> = {
  pods: podEvaluator,
  services: serviceEvaluator,
  persistentvolumeclaims: claimEvaluator,
};

/** How objects of that resource count; undefined where quotas do not apply to it. */
export function evaluatorOf(resource: Resource): Evaluator | undefined {
  const groupResource = groupResourceOf(resource);
  // Kubernetes leaves both forms of Events out of every quota.
  if (!resource.namespaced || groupResource === "events" || groupResource === "events.events.k8s.io")
    return undefined;
  return Object.hasOwn(OWN, groupResource) ? OWN[groupResource] : countEvaluator(groupResource);
}

function countEvaluator(groupResource: string): Evaluator {
  const names = [`count/${groupResource}`, ...(PLAIN.includes(groupResource) ? [groupResource] : [])];
  const one = new Map(names.map((name) => [name, ONE]));
  return { counts: (name) => one.has(name), usage: () => one, isInScope: () => false, grows: false };
}

/** Whether the quota counts something of the object, and the object is in all of its scopes. */
export function isCharged(
  { spec }: Readonly<ResourceQuota>,
  evaluator: Evaluator,
  object: Readonly<KubeObject>,
): boolean {
  const { hard = {}, scopes = [], scopeSelector } = spec ?? {};
  if (!Object.keys(hard).some((name) => evaluator.counts(name))) return false;
  const requirements: ScopeRequirement[] = [
    ...scopes.map((scopeName) => ({ scopeName, operator: "Exists" })),
    ...(scopeSelector?.matchExpressions ?? []),
  ];
  return requirements.every((scope) => evaluator.isInScope(object, scope));
}

function isPodInScope(spec: PodSpec, scope: ScopeRequirement): boolean {
  switch (scope.scopeName) {
    case "Terminating":
      return spec.activeDeadlineSeconds !== undefined;
    case "NotTerminating":
      return spec.activeDeadlineSeconds === undefined;
    case "BestEffort":
      return qualityOf(spec) === "BestEffort";
    case "NotBestEffort":
      return qualityOf(spec) !== "BestEffort";
    case "CrossNamespacePodAffinity":
      return affinityTerms(spec).some(
        ({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined,
      );
    default:
      return isNamedInScope(spec.priorityClassName, scope, ["PriorityClass"]);
  }
}

function isNamedInScope(
  name: string | undefined,
  { scopeName, operator, values }: ScopeRequirement,
  known: readonly string[],
): boolean {
  if (!known.includes(scopeName)) return false;
  const selects = labelMatcher({ matchExpressions: [{ key: scopeName, operator, values: values ?? [] }] });
  return selects(name ? { [scopeName]: name } : {});
}

function affinityTerms({ affinity }: PodSpec): PodAffinityTerm[] {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((one) => [
    ...(one?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(one?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ podAffinityTerm }) => podAffinityTerm,
    ),
  ]);
}

function serviceUsage({ spec }: Service): Amounts {
  const ports = spec.ports ?? [];
  const balanced = spec.type === "LoadBalancer";
  const numbered = balanced && spec.allocateLoadBalancerNodePorts === false;
  const published = spec.type === "NodePort" || balanced;
  const nodePorts = numbered ? ports.filter(({ nodePort }) => nodePort).length : ports.length;
  const pieces = (count: number) => ({ ...ONE, nanos: ONE.nanos * BigInt(count) });
  return new Map([
    ["count/services", ONE],
    ["services", ONE],
    ["services.loadbalancers", pieces(balanced ? 1 : 0)],
    ["services.nodeports", pieces(published ? nodePorts : 0)],
  ]);
}

function claimUsage({ metadata, spec }: PersistentVolumeClaim): Amounts {
  const usage = new Map([
    ["count/persistentvolumeclaims", ONE],
    ["persistentvolumeclaims", ONE],
  ]);
  const storage = amountsOf(spec?.resources?.requests).get("storage");
  const storageClass = metadata.annotations?.[OLD_CLASS_ANNOTATION] ?? spec?.storageClassName;
  if (storageClass) usage.set(`${storageClass}${STORAGE_CLASS}persistentvolumeclaims`, ONE);
  if (storage) {
    usage.set("requests.storage", storage);
    if (storageClass) usage.set(`${storageClass}${STORAGE_CLASS}requests.storage`, storage);
  }
  return usage;
}
