// Pure: what must change so that the pods with the wanted ordinals exist, one each, made from the right revision.
// OrderedReady takes one step at a time: nothing happens to a pod while one before it is not available. Worked example of a rolling
// update of web-0 … web-2 with partition 1: web-2 is deleted and comes back new; when it is available web-1 follows; web-0 stays old,
// and where it is lost it comes back old.
import type { ControllerRevision, Pod, StatefulSet } from "../../api/generated/types.ts";
import { availableIn } from "../shared/pod-availability.ts";
import { firstOrdinal, identityLabels, isWanted, ordinalOf, replicasOf, revisionOf } from "./identity.ts";

type Set = Readonly<StatefulSet>;
export type Revision = Readonly<ControllerRevision>;

export interface StatefulInput {
  readonly set: Set;
  /** What pods below the partition are made from, and the others. */
  readonly currentRevision: Revision;
  readonly updateRevision: Revision;
  /** The set's own pods, each with an ordinal; no two share one. */
  readonly pods: readonly Readonly<Pod>[];
  readonly nowMs: number;
}

export interface Removal {
  readonly pod: Readonly<Pod>;
  readonly why: "failed" | "succeeded" | "surplus" | "update";
}

export interface StatefulPlan {
  readonly create: readonly { readonly ordinal: number; readonly revision: Revision }[];
  readonly remove: readonly Removal[];
  /** Pods that lack the labels which say who they are. */
  readonly relabel: readonly { readonly pod: Readonly<Pod>; readonly labels: Record<string, string> }[];
}

const NOTHING: StatefulPlan = { create: [], remove: [], relabel: [] };

export function planStatefulSet(input: StatefulInput): StatefulPlan {
  const { set } = input;
  if (set.metadata.deletionTimestamp) return NOTHING;
  const replicas = placeReplicas(input);
  const ordered = set.spec.podManagementPolicy !== "Parallel";
  const living = ordered ? planInOrder(replicas, input) : planAtOnce(replicas, input);
  const relabel = planRelabel(replicas, set);
  if (living) return { ...living, relabel };
  const surplus = planSurplus(input, ordered);
  return { ...NOTHING, remove: surplus ?? planUpdate(replicas, input), relabel };
}

interface Replica {
  readonly ordinal: number;
  readonly pod: Readonly<Pod> | undefined;
  readonly state: "missing" | "failed" | "succeeded" | "terminating" | "unavailable" | "available";
}

/** The wanted ordinals, ascending, and who is there. */
function placeReplicas(input: StatefulInput): readonly Replica[] {
  const { set, pods } = input;
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod), pod]));
  return Array.from({ length: replicasOf(set) }, (_, index) => {
    const ordinal = firstOrdinal(set) + index;
    const pod = byOrdinal.get(ordinal);
    return { ordinal, pod, state: stateOf(pod, input) };
  });
}

function stateOf(pod: Readonly<Pod> | undefined, { set, nowMs }: StatefulInput): Replica["state"] {
  if (!pod) return "missing";
  if (pod.metadata.deletionTimestamp) return "terminating";
  if (pod.status?.phase === "Failed") return "failed";
  if (pod.status?.phase === "Succeeded") return "succeeded";
  return isAvailable(pod, set, nowMs) ? "available" : "unavailable";
}

export function isRunningAndReady(pod: Readonly<Pod>): boolean {
  return pod.status?.phase === "Running" && Number.isFinite(availableIn(pod, 0, 0));
}

export function isAvailable(pod: Readonly<Pod>, { spec }: Set, nowMs: number): boolean {
  return isRunningAndReady(pod) && availableIn(pod, (spec.minReadySeconds ?? 0) * 1000, nowMs) === 0;
}

/** The first replica that is not available decides: what can be done about it is the whole step. Undefined when all are. */
function planInOrder(replicas: readonly Replica[], input: StatefulInput): StatefulPlan | undefined {
  const first = replicas.find(({ state }) => state !== "available");
  return first && repair([first], input);
}

/** Repairs all at once; goes on to the next stage when nothing had to be repaired. */
function planAtOnce(replicas: readonly Replica[], input: StatefulInput): StatefulPlan | undefined {
  const plan = repair(replicas, input);
  return plan.create.length > 0 || plan.remove.length > 0 ? plan : undefined;
}

function repair(replicas: readonly Replica[], input: StatefulInput): StatefulPlan {
  return {
    create: replicas
      .filter(({ state }) => state === "missing")
      .map(({ ordinal }) => ({ ordinal, revision: revisionFor(ordinal, input) })),
    // The next pod of that name is made when this one is gone.
    remove: replicas.flatMap(({ pod, state }) =>
      pod && (state === "failed" || state === "succeeded") ? [{ pod, why: state }] : [],
    ),
    relabel: [],
  };
}

/** Below the partition a lost pod comes back as it was. */
function revisionFor(ordinal: number, { set, currentRevision, updateRevision }: StatefulInput): Revision {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  const below = ordinal < firstOrdinal(set) + (rollingUpdate?.partition ?? 0);
  return type !== "OnDelete" && below ? currentRevision : updateRevision;
}

/**
 * Which pods with ordinals that are no longer wanted go now, highest first; undefined when there are none left to see to. In order: one at a
 * time, and one that is not ready yet waits for those below it that are not either. Unlike Kubernetes, which would wait for ever, it does not
 * wait for one that has ended.
 */
function planSurplus(input: StatefulInput, ordered: boolean): readonly Removal[] | undefined {
  const { set } = input;
  const surplus = input.pods
    .filter((pod) => !isWanted(set, ordinalOf(set, pod) ?? 0))
    .sort((a, b) => (ordinalOf(set, b) ?? 0) - (ordinalOf(set, a) ?? 0));
  const highest = surplus[0];
  if (!highest) return undefined;
  if (!ordered) {
    const going = surplus.filter(({ metadata }) => !metadata.deletionTimestamp);
    return going.length > 0 ? going.map((pod) => ({ pod, why: "surplus" })) : undefined;
  }
  if (highest.metadata.deletionTimestamp) return [];
  const isUnready = (pod: Readonly<Pod>) => stateOf(pod, input) === "unavailable";
  const mayGo = !isUnready(highest) || surplus.findLast(isUnready) === highest;
  return mayGo ? [{ pod: highest, why: "surplus" }] : [];
}

/**
 * Which pods of another revision are deleted now, highest first, so that at most maxUnavailable replicas are unavailable by our doing. A pod that
 * is broken anyway and would be replaced takes a place that it has already.
 */
function planUpdate(
  replicas: readonly Replica[],
  { set, updateRevision }: StatefulInput,
): readonly Removal[] {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  if (type === "OnDelete") return [];
  const lowest = firstOrdinal(set) + (rollingUpdate?.partition ?? 0);
  const most = maxUnavailable(set);
  const outdated = replicas
    .filter(
      ({ ordinal, pod }) => ordinal >= lowest && pod && revisionOf(pod) !== updateRevision.metadata.name,
    )
    .reverse();
  const broken = outdated.filter(({ state }) => state === "unavailable");
  const unavailable = replicas.filter(({ state }) => state !== "available").length;
  const chosen = [
    ...broken.slice(0, Math.max(0, most - (unavailable - broken.length))),
    ...outdated.filter(({ state }) => state === "available").slice(0, Math.max(0, most - unavailable)),
  ];
  return chosen.flatMap(({ pod }) => (pod ? [{ pod, why: "update" as const }] : []));
}

/** At least 1, so that an update goes on; a percentage is of the replicas, rounded down. */
export function maxUnavailable(set: Set): number {
  const { maxUnavailable: most = 1 } = set.spec.updateStrategy?.rollingUpdate ?? {};
  if (typeof most === "number") return Math.max(1, most);
  return Math.max(1, Math.floor((Number.parseInt(most, 10) * replicasOf(set)) / 100));
}

function planRelabel(replicas: readonly Replica[], set: Set): StatefulPlan["relabel"] {
  return replicas.flatMap(({ ordinal, pod, state }) => {
    const labels = identityLabels(set, ordinal);
    const fits =
      state === "missing" ||
      state === "terminating" ||
      Object.entries(labels).every(([name, value]) => pod?.metadata.labels?.[name] === value);
    return fits || !pod ? [] : [{ pod, labels }];
  });
}
