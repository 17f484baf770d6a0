// Keeps every PodDisruptionBudget's status true to its pods. The API server spends what it says (an eviction lowers disruptionsAllowed and
// notes the pod in disruptedPods); this controller counts anew with every change of a pod. When it cannot count it allows nothing.
import { disruptionConditions } from "../../api/budget-status.ts";
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { podDisruptionBudgets } from "../../api/kinds/pod-disruption-budget.ts";
import { type KubeObject, keyOf } from "../../api/object.ts";
import { equalJson } from "../../api/own.ts";
import { labelMatcher } from "../../api/selectors.ts";
import { hasReason } from "../../api/status-error.ts";
import { timestamp } from "../../base/clock.ts";
import { createRecorder } from "../../client/recorder.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import { messageOf } from "../shared/pod-control.ts";
import type { EventText } from "../shared/pod-events.ts";
import { countFailed, noPods, notDeleted, unmanagedPods } from "./events.ts";
import { countsScale, planBudget, staleMarkIn } from "./plan.ts";
import { createScales, type ScalesOptions } from "./scales.ts";

export function startDisruptionController(
  context: ControllerContext,
  options: ScalesOptions,
): RunningController {
  const { client, clock, informers, timing } = context;
  const recorder = createRecorder(client, { component: "controllermanager", clock });
  const budgets = informers.of(podDisruptionBudgets);
  const podList = informers.of(pods);
  const scales = createScales(context, options);
  const say = (about: Readonly<KubeObject>, { type, reason, message }: EventText) =>
    recorder.event(about, type, reason, message);

  /** The pods that the controllers want together; says what keeps it from being known. */
  async function countScale(
    budget: Readonly<PodDisruptionBudget>,
    selected: readonly Readonly<Pod>[],
  ): Promise<number> {
    if (!countsScale(budget.spec ?? {})) return 0;
    try {
      const { total, unmanaged } = await scales.of(selected);
      if (unmanaged.length > 0) say(budget, unmanagedPods(budget.spec?.selector));
      return total;
    } catch (error) {
      say(budget, countFailed(messageOf(error)));
      throw error;
    }
  }

  async function writeStatus(
    budget: Readonly<PodDisruptionBudget>,
    status: PodDisruptionBudgetStatus,
    writes: Writes,
  ): Promise<void> {
    if (equalJson(budget.status, status)) return;
    writes.wrote(
      podDisruptionBudgets,
      await client.updateStatus(podDisruptionBudgets, { ...budget, status } as PodDisruptionBudget),
    );
  }

  /** Nothing may be evicted while it is not known what may. */
  function closed({ status = {} }: Readonly<PodDisruptionBudget>, why: string): PodDisruptionBudgetStatus {
    const verdict = { status: "False", reason: "SyncFailed", message: why } as const;
    const next = { ...status, disruptionsAllowed: 0 };
    return { ...next, conditions: disruptionConditions(next, clock.now(), verdict) };
  }

  async function reconcile(key: string, _signal: AbortSignal, writes: Writes) {
    const budget = budgets.get(key);
    if (!budget) return;
    const selects = labelMatcher(budget.spec?.selector);
    const selected = podList
      .inNamespace(budget.metadata.namespace ?? "")
      .filter(({ metadata }) => selects(metadata.labels));
    if (selected.length === 0) say(budget, noPods);
    let scale: number;
    try {
      scale = await countScale(budget, selected);
    } catch (error) {
      await writeStatus(budget, closed(budget, messageOf(error)), writes);
      return;
    }
    const plan = planBudget({
      budget,
      pods: selected,
      scale,
      nowMs: clock.now(),
      deletionMs: timing.disruptionMs,
    });
    for (const pod of plan.notDeleted) say(pod, notDeleted(key));
    await writeStatus(budget, plan.status, writes);
    if (plan.recheckAfterMs !== undefined) return { requeueAfterMs: plan.recheckAfterMs };
    return;
  }

  const counting = startController(context, {
    name: "disruption",
    watch: (enqueue) => [
      budgets.onChange((after) => after && enqueue(keyOf(after))),
      podList.onChange((after, before) => {
        const { namespace = "" } = ((after ?? before) as Pod).metadata;
        for (const budget of budgets.inNamespace(namespace)) {
          const selects = labelMatcher(budget.spec?.selector);
          if ([after, before].some((pod) => pod && selects(pod.metadata.labels))) enqueue(keyOf(budget));
        }
      }),
    ],
    reconcile,
  });
  const unmarking = startUnmarking(context);
  return {
    async stop() {
      await Promise.all([counting.stop(), unmarking.stop()]);
    },
  };
}

/** Takes DisruptionTarget back from pods that were not disrupted after all. */
function startUnmarking(context: ControllerContext): RunningController {
  const { client, clock, informers, timing } = context;
  const podList = informers.of(pods);
  const waitFor = (pod: Readonly<Pod>) => staleMarkIn(pod, timing.disruptionMs, clock.now());
  return startController(context, {
    name: "stale-pod-disruption",
    watch: (enqueue) => [
      podList.onChange((pod) => {
        const waitMs = pod && waitFor(pod);
        if (pod && waitMs !== undefined) enqueue(keyOf(pod), waitMs);
      }),
    ],
    async reconcile(key, _signal, writes) {
      const pod = podList.get(key);
      const waitMs = pod && waitFor(pod);
      if (!pod || waitMs === undefined) return;
      if (waitMs > 0) return { requeueAfterMs: waitMs };
      const { uid, resourceVersion } = pod.metadata;
      const lastTransitionTime = timestamp(clock.now());
      const conditions = [
        { type: "DisruptionTarget", status: "False", reason: null, message: null, lastTransitionTime },
      ];
      const patch = { metadata: { uid, resourceVersion }, status: { conditions } };
      try {
        writes.wrote(
          pods,
          await client.patch(pods, pod.metadata, "strategic", patch, { subresource: "status" }),
        );
      } catch (error) {
        if (!hasReason(error, "NotFound")) throw error;
      }
      return;
    },
  });
}
