// Pure: a Deployment's status and conditions, with Kubernetes' reasons and messages. A Progressing condition's lastUpdateTime is the start of
// the progress deadline, so it moves only when something moved.
import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
} from "../../api/generated/types.ts";
import { timestamp } from "../../base/clock.ts";
import { fenceposts } from "./fenceposts.ts";

type Set = Readonly<ReplicaSet>;

// The largest 32-bit number stands for "no deadline".
const NO_DEADLINE = 2 ** 31 - 1;

export function hasProgressDeadline({ spec }: Readonly<Deployment>): boolean {
  return spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== NO_DEADLINE;
}

export function conditionOf(
  status: Readonly<DeploymentStatus> | undefined,
  type: string,
): DeploymentCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

type ConditionDraft = Pick<DeploymentCondition, "type" | "status" | "reason" | "message">;

/** The conditions with `draft` in: unchanged where status and reason are, and with the old transition time where the status is. */
export function withCondition(
  conditions: readonly DeploymentCondition[],
  draft: ConditionDraft,
  nowMs: number,
): DeploymentCondition[] {
  const before = conditions.find(({ type }) => type === draft.type);
  if (before?.status === draft.status && before.reason === draft.reason) return [...conditions];
  return [...without(conditions, draft.type), stamped(draft, before, nowMs)];
}

function stamped(
  draft: ConditionDraft,
  before: DeploymentCondition | undefined,
  nowMs: number,
): DeploymentCondition {
  const now = timestamp(nowMs);
  const { type, status, reason, message } = draft;
  const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? now) : now;
  return {
    type,
    status,
    lastUpdateTime: now,
    lastTransitionTime,
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
  };
}

const without = (conditions: readonly DeploymentCondition[], type: string) =>
  conditions.filter((condition) => condition.type !== type);

export interface Sets {
  readonly deployment: Readonly<Deployment>;
  readonly current: Set | undefined;
  readonly old: readonly Set[];
  readonly nowMs: number;
}

/** Counts and the Available condition; what only a rollout changes is carried over. Zero counts are left out, as Go writes them. */
export function baseStatus({ deployment, current, old, nowMs }: Sets): DeploymentStatus {
  const all = current ? [...old, current] : old;
  const total = (count: (set: Set) => number | undefined) =>
    all.reduce((sum, set) => sum + (count(set) ?? 0), 0);
  const available = total(({ status }) => status?.availableReplicas);
  const wanted = deployment.spec.replicas ?? 1;
  const enough = available >= wanted - fenceposts(deployment).maxUnavailable;
  const counts = {
    availableReplicas: available,
    collisionCount: deployment.status?.collisionCount ?? 0,
    observedGeneration: deployment.metadata.generation ?? 0,
    readyReplicas: total(({ status }) => status?.readyReplicas),
    replicas: total(({ status }) => status?.replicas),
    unavailableReplicas: Math.max(0, total(({ spec }) => spec.replicas ?? 1) - available),
    updatedReplicas: current?.status?.replicas ?? 0,
  };
  return {
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    conditions: withCondition(deployment.status?.conditions ?? [], enough ? AVAILABLE : UNAVAILABLE, nowMs),
  };
}

const AVAILABLE: ConditionDraft = {
  type: "Available",
  status: "True",
  reason: "MinimumReplicasAvailable",
  message: "Deployment has minimum availability.",
};
const UNAVAILABLE: ConditionDraft = {
  type: "Available",
  status: "False",
  reason: "MinimumReplicasUnavailable",
  message: "Deployment does not have minimum availability.",
};

/** The status while a rollout runs: baseStatus with Progressing and ReplicaFailure worked out. */
export function rolloutStatus(sets: Sets): DeploymentStatus {
  const { deployment } = sets;
  const status = baseStatus(sets);
  const conditions = withFailure(progressConditions(status, sets), sets);
  return conditions.length > 0 || deployment.status?.conditions ? { ...status, conditions } : status;
}

function progressConditions(status: DeploymentStatus, sets: Sets): DeploymentCondition[] {
  const { deployment, nowMs } = sets;
  const conditions = status.conditions ?? [];
  if (!hasProgressDeadline(deployment)) return without(conditions, "Progressing");
  const before = conditionOf(deployment.status, "Progressing");
  const doneBefore = before?.reason === "NewReplicaSetAvailable";
  if (doneBefore && (status.replicas ?? 0) === (status.updatedReplicas ?? 0)) return conditions;
  const subject = sets.current
    ? `ReplicaSet "${sets.current.metadata.name}"`
    : `Deployment "${deployment.metadata.name}"`;
  const progressing = (draft: Omit<ConditionDraft, "type">) => ({ type: "Progressing", ...draft });
  if (isComplete(deployment, status)) {
    const message = `${subject} has successfully progressed.`;
    return withCondition(
      conditions,
      progressing({ status: "True", reason: "NewReplicaSetAvailable", message }),
      nowMs,
    );
  }
  if (hasMoved(deployment.status ?? {}, status)) {
    // Replaced even where nothing but its time changes: the deadline counts from here.
    const message = `${subject} is progressing.`;
    const draft = progressing({ status: "True", reason: "ReplicaSetUpdated", message });
    return [...without(conditions, "Progressing"), stamped(draft, before, nowMs)];
  }
  if (isOverdue(deployment, status, nowMs)) {
    const message = `${subject} has timed out progressing.`;
    return withCondition(
      conditions,
      progressing({ status: "False", reason: "ProgressDeadlineExceeded", message }),
      nowMs,
    );
  }
  return conditions;
}

/** A ReplicaSet's failure to create pods shows on its Deployment: the current one's first. */
function withFailure(conditions: DeploymentCondition[], { current, old }: Sets): DeploymentCondition[] {
  const failureOf = (set: Set | undefined) =>
    set?.status?.conditions?.find(({ type }) => type === "ReplicaFailure");
  const failure = failureOf(current) ?? old.map(failureOf).find((found) => found !== undefined);
  if (!failure) return without(conditions, "ReplicaFailure");
  const before = conditions.find(({ type }) => type === "ReplicaFailure");
  if (before?.status === failure.status && before.reason === failure.reason) return conditions;
  const { type, status, reason, message, lastTransitionTime } = failure;
  const copied: DeploymentCondition = {
    type,
    status,
    ...(lastTransitionTime ? { lastUpdateTime: lastTransitionTime, lastTransitionTime } : {}),
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
  };
  return [...without(conditions, "ReplicaFailure"), copied];
}

/** Every wanted pod is of the current template and available, and nothing old is left. */
export function isComplete(deployment: Readonly<Deployment>, status: Readonly<DeploymentStatus>): boolean {
  const wanted = deployment.spec.replicas ?? 1;
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function hasMoved(before: Readonly<DeploymentStatus>, after: Readonly<DeploymentStatus>): boolean {
  const oldReplicas = (status: Readonly<DeploymentStatus>) =>
    (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldReplicas(after) < oldReplicas(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function isOverdue(
  deployment: Readonly<Deployment>,
  status: Readonly<DeploymentStatus>,
  nowMs: number,
): boolean {
  const condition = conditionOf(status, "Progressing");
  if (!condition || condition.reason === "NewReplicaSetAvailable") return false;
  if (condition.reason === "ProgressDeadlineExceeded") return true;
  return deadlineAt(deployment, condition) < nowMs;
}

const deadlineAt = ({ spec }: Readonly<Deployment>, condition: DeploymentCondition): number =>
  Date.parse(condition.lastUpdateTime ?? "") + (spec.progressDeadlineSeconds ?? 0) * 1000;

/** When to look again whether the deadline has passed, in ms from now; undefined where none is running. */
export function deadlineIn(
  deployment: Readonly<Deployment>,
  status: Readonly<DeploymentStatus>,
  nowMs: number,
): number | undefined {
  const condition = conditionOf(status, "Progressing");
  if (!condition || !hasProgressDeadline(deployment) || deployment.spec.paused) return undefined;
  if (isComplete(deployment, status) || condition.reason === "ProgressDeadlineExceeded") return undefined;
  // Times are written in whole seconds: one more, so that it has passed by then.
  return Math.max(0, deadlineAt(deployment, condition) - nowMs) + 1000;
}

/** Progressing while paused and when resumed; undefined where it says so already. */
export function pauseCondition(deployment: Readonly<Deployment>): ConditionDraft | undefined {
  if (!hasProgressDeadline(deployment)) return undefined;
  const reason = conditionOf(deployment.status, "Progressing")?.reason;
  if (reason === "ProgressDeadlineExceeded") return undefined;
  const wasPaused = reason === "DeploymentPaused";
  const isPaused = deployment.spec.paused === true;
  if (wasPaused === isPaused) return undefined;
  return {
    type: "Progressing",
    status: "Unknown",
    reason: isPaused ? "DeploymentPaused" : "DeploymentResumed",
    message: isPaused ? "Deployment is paused" : "Deployment is resumed",
  };
}

export function sameStatus(
  a: Readonly<DeploymentStatus> | undefined,
  b: Readonly<DeploymentStatus>,
): boolean {
  const { conditions: before = [], ...counts } = a ?? {};
  const { conditions: after = [], ...next } = b;
  const flat = (value: Record<string, unknown>) =>
    JSON.stringify(
      Object.entries(value)
        .filter(([, count]) => count !== undefined && count !== 0)
        .sort(([x], [y]) => (x < y ? -1 : 1)),
    );
  return (
    flat(counts) === flat(next) &&
    before.length === after.length &&
    before.every((condition, index) => flat({ ...condition }) === flat({ ...after[index] }))
  );
}
