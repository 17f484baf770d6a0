// POST pods/NAME/eviction: a delete that asks the pod's disruption budget first. An allowed eviction is taken off the budget before the pod is
// deleted, so that two at the same time cannot both have the last one; the disruption controller counts anew afterwards.
import { disruptionConditions } from "../../api/budget-status.ts";
import type { Eviction, Pod, PodDisruptionBudget } from "../../api/generated/types.ts";
import { podDisruptionBudgets } from "../../api/kinds/pod-disruption-budget.ts";
import type { KubeObject } from "../../api/object.ts";
import { isPodOver, isPodReady } from "../../api/pod-status.ts";
import { labelMatcher } from "../../api/selectors.ts";
import {
  badRequest,
  conflict,
  forbidden,
  hasReason,
  notFound,
  StatusError,
  statusError,
} from "../../api/status-error.ts";
import { timestamp } from "../../base/clock.ts";
import { atOnce } from "../../base/parts.ts";
import { type BodyType, readObject } from "../body.ts";
import type { ServerContext } from "../context.ts";
import { storeKey, storePrefix } from "../keys.ts";
import type { ApiRequest, DocumentAnswer } from "../request.ts";
import { created } from "./bind.ts";
import { isDryRun } from "./options.ts";
import { checkDeleteOptions, type Deletion, deleteNamed } from "./remove.ts";
import { type Write, writeOf } from "./target.ts";
import { type NamedTarget, updateObject } from "./update.ts";

const EVICTION: BodyType = {
  schema: "io.k8s.api.policy.v1.Eviction",
  apiVersion: "policy/v1",
  kind: "Eviction",
};
/** So many evictions may wait for the controller to see them. */
const MOST_DISRUPTED = 2000;
// A pod may change between being looked at and being deleted; Kubernetes looks again as often.
const ATTEMPTS = 20;
const VIOLATED = "Cannot evict pod as it would violate the pod's disruption budget.";
const RETRY_SECONDS = 10;

export async function evictPod(
  context: ServerContext,
  target: NamedTarget,
  request: ApiRequest,
): Promise<DocumentAnswer> {
  const eviction = (await readObject(request, context.registry, EVICTION)).object as Eviction;
  if (eviction.metadata.name && eviction.metadata.name !== target.name)
    throw badRequest("name in URL does not match name in Eviction object");
  const deletion = eviction.deleteOptions ?? {};
  checkDeleteOptions(deletion);
  const write = writeOf({ ...target, subresource: "" }, request, "DELETE");
  const asked = { ...write, dryRun: write.dryRun || isDryRun(deletion.dryRun) };
  await evict(context, asked, deletion);
  return created();
}

/** What has ended or not begun goes at once, the rest when its budget lets it. */
async function evict(context: ServerContext, write: Write, deletion: Deletion): Promise<void> {
  const pinned = deletion.preconditions?.resourceVersion !== undefined;
  for (let attempt = 1; ; attempt += 1) {
    const pod = readPod(context, write);
    if (!isUnguarded(pod)) return evictGuarded(context, { write, pod, deletion });
    try {
      const settled = isPodOver(pod) || pod.metadata.deletionTimestamp !== undefined;
      await markAndDelete(context, write, settled ? deletion : asSeen(deletion, pod));
      return;
    } catch (error) {
      if (pinned || attempt >= ATTEMPTS || !hasReason(error, "Conflict")) throw error;
    }
  }
}

const isUnguarded = (pod: Pod): boolean =>
  isPodOver(pod) || pod.status?.phase === "Pending" || pod.metadata.deletionTimestamp !== undefined;

function readPod({ store }: ServerContext, { kind, namespace, name = "" }: Write): Pod {
  const found = store.get(storeKey(kind.resource, namespace, name));
  if (!found) throw notFound(kind.resource, name);
  return found.object as Pod;
}

/** The same deletion, of the pod as it was when it was judged; a version that the client named itself stays. */
const asSeen = (deletion: Deletion, { metadata: { resourceVersion } }: Pod): Deletion => ({
  ...deletion,
  preconditions: { ...(resourceVersion ? { resourceVersion } : {}), ...deletion.preconditions },
});

async function evictGuarded(
  context: ServerContext,
  { write, pod, deletion }: { write: Write; pod: Pod; deletion: Deletion },
): Promise<void> {
  const [budget, ...more] = budgetsOf(context, pod);
  if (more.length > 0) throw severalBudgets();
  const free = budget !== undefined && isFree(pod, budget);
  if (budget && !free) await spend(context, write, { budget, pod });
  try {
    await markAndDelete(context, write, free ? asSeen(deletion, pod) : deletion);
  } catch (error) {
    // It may have become ready meanwhile: then it counts, and the client has to ask again.
    if (free && hasReason(error, "Conflict") && !deletion.preconditions?.resourceVersion)
      throw inProgress(budget);
    throw error;
  }
}

function budgetsOf({ store }: ServerContext, { metadata }: Pod): PodDisruptionBudget[] {
  return store
    .list(storePrefix(podDisruptionBudgets, metadata.namespace))
    .map(({ object }) => object as PodDisruptionBudget)
    .filter(({ spec }) => labelMatcher(spec?.selector)(metadata.labels));
}

/** A pod that is not ready is none of those that the budget keeps: it may go while these are enough, or always. */
function isFree(pod: Pod, { spec, status = {} }: PodDisruptionBudget): boolean {
  if (isPodReady(pod)) return false;
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status;
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

/** Takes one disruption off the budget, or throws why there is none. */
async function spend(
  context: ServerContext,
  { dryRun, request }: Write,
  { budget, pod }: { budget: PodDisruptionBudget; pod: Pod },
): Promise<void> {
  const { group, version, plural } = podDisruptionBudgets;
  const kind = context.registry.find(group, version, plural);
  if (!kind) return;
  const { name, namespace } = budget.metadata;
  const subresource = "status";
  const write: Write = {
    kind,
    served: kind,
    namespace,
    name,
    subresource,
    dryRun,
    manager: "kube-apiserver",
    request: { ...request, kind, subresource, operation: "UPDATE" },
  };
  const next = (current: KubeObject) =>
    atOnce(() => spent(current as PodDisruptionBudget, pod, context.clock.now()));
  await updateObject(context, write, { next });
}

function spent(budget: PodDisruptionBudget, pod: Pod, nowMs: number): PodDisruptionBudget {
  const { metadata, status = {} } = budget;
  const { disruptionsAllowed = 0, disruptedPods = {}, observedGeneration = 0 } = status;
  const refuse = (why: string) => forbidden(podDisruptionBudgets, metadata.name, why);
  if (observedGeneration < (metadata.generation ?? 0)) throw inProgress(budget);
  if (disruptionsAllowed < 0) throw refuse("pdb disruptions allowed is negative");
  if (Object.keys(disruptedPods).length > MOST_DISRUPTED)
    throw refuse("DisruptedPods map too big - too many evictions not confirmed by PDB controller");
  if (disruptionsAllowed === 0) throw exhausted(budget);
  const next = {
    ...status,
    disruptionsAllowed: disruptionsAllowed - 1,
    disruptedPods: { ...disruptedPods, [pod.metadata.name]: timestamp(nowMs) },
  };
  const conditions = disruptionConditions(next, nowMs);
  return structuredClone({ ...budget, status: { ...next, conditions } });
}

function tooManyRequests(cause: string, retryAfterSeconds: number): StatusError {
  return statusError("TooManyRequests", VIOLATED, {
    causes: [{ reason: "DisruptionBudget", message: cause }],
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  });
}

const inProgress = ({ metadata: { name } }: PodDisruptionBudget) =>
  tooManyRequests(`The disruption budget ${name} is still being processed by the server.`, RETRY_SECONDS);

const exhausted = ({ metadata: { name }, status }: PodDisruptionBudget) =>
  tooManyRequests(
    `The disruption budget ${name} needs ${status?.desiredHealthy ?? 0} healthy pods and has ${status?.currentHealthy ?? 0} currently`,
    0,
  );

/** Not one of the catalogue: a failure without a reason, as Kubernetes answers it. */
function severalBudgets(): StatusError {
  const status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {} as StatusError["status"]["metadata"],
    status: "Failure",
    message:
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    code: 500,
  };
  return new StatusError(status);
}

/** Says on the pod why it goes, and deletes it. */
async function markAndDelete(context: ServerContext, write: Write, deletion: Deletion): Promise<void> {
  if (write.dryRun) {
    await deleteNamed(context, write, deletion);
    return;
  }
  const { uid, resourceVersion } = deletion.preconditions ?? {};
  const next = (current: KubeObject) => {
    const { metadata } = current;
    if ((uid && uid !== metadata.uid) || (resourceVersion && resourceVersion !== metadata.resourceVersion))
      throw conflict(write.kind.resource, metadata.name);
    return marked(current as Pod, context.clock.now());
  };
  const marking: Write = {
    ...write,
    subresource: "status",
    request: { ...write.request, subresource: "status", operation: "UPDATE" },
  };
  await updateObject(context, marking, { next: (current) => atOnce(() => next(current)) });
  // The mark was written under these conditions, and is a new version itself.
  await deleteNamed(context, write, { ...deletion, preconditions: uid ? { uid } : {} });
}

function marked(pod: Pod, nowMs: number): Pod {
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
    lastTransitionTime: timestamp(nowMs),
  };
  return structuredClone({ ...pod, status: { ...pod.status, conditions: [...others, condition] } });
}
