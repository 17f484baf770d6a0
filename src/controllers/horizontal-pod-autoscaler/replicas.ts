// Pure: how many replicas one metric asks for. Source of the rules: Kubernetes' replica calculator. Worked example: 3 pods use 90 % of what
// they request on average, the target is 50 %: the ratio is 1.8, so 6 are needed. Were one of the three not ready yet, it would count as using
// nothing: 60 % on average, a ratio of 1.2, and 4.
import type { Pod } from "../../api/generated/types.ts";
import { podCondition } from "../../api/pod-status.ts";
import type { Timing } from "../../base/timing.ts";

/** What one pod uses, in thousandths. */
export interface PodUsage {
  readonly milli: number;
  readonly atMs: number;
  readonly windowMs: number;
}

/** A percentage of what pods request (in thousandths, by pod), or an amount in thousandths a pod. */
export type Target =
  | { readonly percent: number; readonly requests: ReadonlyMap<string, number> }
  | { readonly milli: number };

export interface Question {
  readonly pods: readonly Readonly<Pod>[];
  readonly usages: ReadonlyMap<string, PodUsage>;
  readonly isCpu: boolean;
  readonly target: Target;
  readonly currentReplicas: number;
  /** How far from 1 the ratio may be, either way, without any change. */
  readonly tolerance: { readonly up: number; readonly down: number };
  readonly nowMs: number;
  readonly timing: Pick<Timing, "cpuInitializationMs" | "initialReadinessMs">;
}

export interface Proposal {
  readonly replicas: number;
  /** Of the pods that are ready. */
  readonly averageMilli: number;
  /** Of requests, where these are the target. */
  readonly percent?: number;
}

/** Throws an Error that says, in Kubernetes' words, why it cannot be told. */
export function proposeReplicas(question: Question): Proposal {
  const { pods, usages, target, currentReplicas } = question;
  if (pods.length === 0) throw new Error("no pods returned by selector while calculating replica count");
  const { ready, unready, missing } = groupPods(question);
  const known = new Map(ready.map((name) => [name, usages.get(name)?.milli ?? 0]));
  if (known.size === 0) throw new Error("did not receive metrics for targeted pods (pods might be unready)");
  const now = usageOf(known, target);
  const { averageMilli, percent } = now;
  const propose = (replicas: number): Proposal => ({
    replicas,
    averageMilli,
    ...(percent === undefined ? {} : { percent }),
  });
  const countsUnready = unready.length > 0 && now.ratio > 1;
  if (!countsUnready && missing.length === 0)
    return propose(isNear(now.ratio, question) ? currentReplicas : Math.ceil(now.ratio * ready.length));
  // What is not known is taken to speak against the change.
  if (now.ratio !== 1) for (const name of missing) known.set(name, now.ratio < 1 ? fullUse(name, target) : 0);
  if (countsUnready) for (const name of unready) known.set(name, 0);
  const { ratio } = usageOf(known, target);
  const replicas = Math.ceil(ratio * known.size);
  const turns =
    (now.ratio < 1 && ratio > 1) ||
    (now.ratio > 1 && ratio < 1) ||
    (ratio < 1 && replicas > currentReplicas) ||
    (ratio > 1 && replicas < currentReplicas);
  return propose(turns || isNear(ratio, question) ? currentReplicas : replicas);
}

const isNear = (ratio: number, { tolerance: { up, down } }: Question) => ratio >= 1 - down && ratio <= 1 + up;

function fullUse(pod: string, target: Target): number {
  if ("milli" in target) return target.milli;
  return Math.floor(((target.requests.get(pod) ?? 0) * Math.max(100, target.percent)) / 100);
}

function usageOf(known: ReadonlyMap<string, number>, target: Target) {
  const sum = [...known.values()].reduce((total, milli) => total + milli, 0);
  const averageMilli = Math.floor(sum / known.size);
  if ("milli" in target) return { ratio: averageMilli / target.milli, averageMilli, percent: undefined };
  const requested = [...known.keys()].reduce((total, pod) => total + (target.requests.get(pod) ?? 0), 0);
  if (requested === 0) throw new Error("no metrics returned matched known pods");
  const percent = Math.floor((sum * 100) / requested);
  return { ratio: percent / target.percent, averageMilli, percent };
}

interface Groups {
  readonly ready: readonly string[];
  readonly unready: readonly string[];
  readonly missing: readonly string[];
}

/** Names of pods; those that are going or have failed are in none of the groups. */
function groupPods(question: Question): Groups {
  const groups = { ready: [] as string[], unready: [] as string[], missing: [] as string[] };
  for (const pod of question.pods) {
    const { name, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp || pod.status?.phase === "Failed") continue;
    const usage = question.usages.get(name);
    if (pod.status?.phase === "Pending") groups.unready.push(name);
    else if (!usage) groups.missing.push(name);
    else if (question.isCpu && isUnready(pod, usage, question)) groups.unready.push(name);
    else groups.ready.push(name);
  }
  return groups;
}

/** While it starts a pod burns CPU that says nothing of its load. */
function isUnready(pod: Readonly<Pod>, usage: PodUsage, { nowMs, timing }: Question): boolean {
  const ready = podCondition(pod, "Ready");
  const startedMs = Date.parse(pod.status?.startTime ?? "");
  if (!ready || Number.isNaN(startedMs)) return true;
  const changedMs = Date.parse(ready.lastTransitionTime ?? "");
  if (startedMs + timing.cpuInitializationMs > nowMs)
    return ready.status === "False" || usage.atMs < changedMs + usage.windowMs;
  return ready.status === "False" && startedMs + timing.initialReadinessMs > changedMs;
}
