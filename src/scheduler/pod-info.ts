// A pod as the scheduler sees it: everything that filters and scores ask for, worked out once.
import type { Pod, PodAffinityTerm } from "../api/generated/types.ts";
import { keyOf } from "../api/object.ts";
import { type LabelMatcher, labelMatcher } from "../api/selectors.ts";
import { type Amounts, type HostPort, hostPorts, podRequests, scoredRequests } from "./requests.ts";

type Labels = Readonly<Record<string, string>>;

/** A term of pod (anti-)affinity, ready to be asked. */
export interface AffinityTerm {
  readonly topologyKey: string;
  /** 1 to 100 for preferred terms; 1 for required ones, the scheduler's hardPodAffinityWeight. */
  readonly weight: number;
  /** True when a pod with these labels in that namespace is meant. */
  matches(pod: PodInfo, namespaceLabels: NamespaceLabels): boolean;
}

export type NamespaceLabels = (namespace: string) => Labels | undefined;

export interface PodInfo {
  readonly key: string;
  readonly uid: string;
  readonly pod: Readonly<Pod>;
  readonly namespace: string;
  readonly labels: Labels;
  readonly priority: number;
  readonly terminating: boolean;
  readonly requests: Amounts;
  readonly scored: { readonly cpu: number; readonly memory: number };
  readonly hostPorts: readonly HostPort[];
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  readonly preferredAffinity: readonly AffinityTerm[];
  readonly preferredAntiAffinity: readonly AffinityTerm[];
}

const known = new WeakMap<object, PodInfo>();

/** Objects of an informer never change, so what is worked out for one is kept with it. */
export function podInfo(pod: Readonly<Pod>): PodInfo {
  let info = known.get(pod);
  if (!info) {
    info = describe(pod);
    known.set(pod, info);
  }
  return info;
}

function describe(pod: Readonly<Pod>): PodInfo {
  const { metadata, spec } = pod;
  const affinity = spec.affinity?.podAffinity;
  const anti = spec.affinity?.podAntiAffinity;
  const required = (terms: readonly PodAffinityTerm[] | undefined) =>
    (terms ?? []).map((term) => affinityTerm(term, 1, pod));
  return {
    key: keyOf(pod),
    uid: metadata.uid,
    pod,
    namespace: metadata.namespace ?? "",
    labels: metadata.labels ?? {},
    priority: spec.priority ?? 0,
    terminating: metadata.deletionTimestamp !== undefined,
    requests: podRequests(pod),
    scored: scoredRequests(pod),
    hostPorts: hostPorts(pod),
    requiredAffinity: required(affinity?.requiredDuringSchedulingIgnoredDuringExecution),
    requiredAntiAffinity: required(anti?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((preferred) =>
      affinityTerm(preferred.podAffinityTerm, preferred.weight, pod),
    ),
    preferredAntiAffinity: (anti?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((preferred) =>
      affinityTerm(preferred.podAffinityTerm, preferred.weight, pod),
    ),
  };
}

// Without namespaces and namespaceSelector a term means the pod's own namespace; an empty selector means all.
function affinityTerm(term: PodAffinityTerm, weight: number, pod: Readonly<Pod>): AffinityTerm {
  const labels = pod.metadata.labels ?? {};
  const own = labelMatcher(term.labelSelector);
  const same = (term.matchLabelKeys ?? []).filter((key) => key in labels);
  const different = (term.mismatchLabelKeys ?? []).filter((key) => key in labels);
  const named = new Set(term.namespaces ?? []);
  if (named.size === 0 && !term.namespaceSelector) named.add(pod.metadata.namespace ?? "");
  const selected: LabelMatcher | undefined = term.namespaceSelector && labelMatcher(term.namespaceSelector);
  return {
    topologyKey: term.topologyKey,
    weight,
    matches: (other, namespaceLabels) =>
      (named.has(other.namespace) || selected?.(namespaceLabels(other.namespace) ?? {}) === true) &&
      own(other.labels) &&
      same.every((key) => other.labels[key] === labels[key]) &&
      different.every((key) => other.labels[key] !== labels[key]),
  };
}
