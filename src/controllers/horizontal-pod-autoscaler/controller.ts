// Sizes what each HorizontalPodAutoscaler points to. Decides nothing itself (plan.ts). It looks once a period, not whenever a status changes:
// what it proposed and did in the last minutes is remembered here, and lost with the process, as Kubernetes' is.
import type { HorizontalPodAutoscaler, Scale } from "../../api/generated/types.ts";
import { horizontalPodAutoscalers } from "../../api/kinds/horizontal-pod-autoscaler.ts";
import { pods } from "../../api/kinds/pod.ts";
import { type PodMetrics, podMetrics } from "../../api/metrics.ts";
import { keyOf } from "../../api/object.ts";
import { equalJson } from "../../api/own.ts";
import { pathOf, type Resource } from "../../api/resource.ts";
import { parseLabelSelector } from "../../api/selectors.ts";
import { StatusError } from "../../api/status-error.ts";
import { failureOf } from "../../client/create-client.ts";
import { createRecorder } from "../../client/recorder.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import { messageOf, say } from "../shared/pod-control.ts";
import type { EventText } from "../shared/pod-events.ts";
import type { History } from "./normalize.ts";
import { type AutoscalePlan, afterRescale, planAutoscaler, type Scaled, withoutScale } from "./plan.ts";
import { createSelectors, type Selectors } from "./selectors.ts";

export interface AutoscalerOptions {
  /** The resource that a reference means; undefined where none is served. */
  storedAs: (reference: { readonly apiVersion: string; readonly kind: string }) => Resource | undefined;
}

interface Work {
  readonly context: ControllerContext;
  readonly owner: HorizontalPodAutoscaler;
  readonly writes: Writes;
  say(events: readonly EventText[]): void;
}

export function startHorizontalPodAutoscaler(
  context: ControllerContext,
  { storedAs }: AutoscalerOptions,
): RunningController {
  const { client, clock, informers, timing } = context;
  const recorder = createRecorder(client, { component: "horizontal-pod-autoscaler", clock });
  const list = informers.of(horizontalPodAutoscalers);
  const histories = new Map<string, History>();
  const selectors = createSelectors();

  async function reconcile(work: Work): Promise<void> {
    const { owner } = work;
    const { uid } = owner.metadata;
    let target: Target;
    try {
      target = await readTarget(context, owner, storedAs);
    } catch (error) {
      const { status, events } = withoutScale(owner, messageOf(error), clock.now());
      work.say(events);
      return await writeStatus(work, status);
    }
    const scaled = await observe(context, owner, { ...target, selectors });
    const plan = planAutoscaler(owner, scaled, { history: histories.get(uid), nowMs: clock.now(), timing });
    work.say(plan.events);
    const { rescale } = plan;
    const done = rescale ? await apply(work, target, { ...plan, rescale }) : plan;
    histories.set(uid, done.history);
    await writeStatus(work, done.status);
  }

  return startController(context, {
    name: "horizontal-pod-autoscaler",
    watch: (enqueue) => {
      // Its pods are read; nothing of what happens to them makes it look before its time.
      informers.of(pods);
      return [
        list.onChange((after, before) => {
          if (!after && before) {
            histories.delete(before.metadata.uid);
            selectors.forget(keyOf(before));
          }
          if (after && after.metadata.generation !== before?.metadata.generation) enqueue(keyOf(after));
        }),
      ];
    },
    async reconcile(key, _signal, writes) {
      const owner = list.get(key);
      if (!owner) return;
      const tell = (events: readonly EventText[]) => {
        for (const event of events) say({ recorder, owner }, event);
      };
      await reconcile({ context, owner, writes, say: tell });
      return { requeueAfterMs: timing.autoscaleSyncMs };
    },
  });
}

interface Target {
  readonly resource: Resource;
  readonly scale: Scale;
}

/** Throws where there is no such thing, or it has no scale. */
async function readTarget(
  { client }: ControllerContext,
  { metadata, spec }: HorizontalPodAutoscaler,
  storedAs: AutoscalerOptions["storedAs"],
): Promise<Target> {
  const { apiVersion = "v1", kind, name } = spec.scaleTargetRef;
  const resource = storedAs({ apiVersion, kind });
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  if (!resource)
    throw new Error(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`);
  const path = pathOf(resource, { namespace: metadata.namespace, name, subresource: "scale" });
  const { status, body } = await client.transport.request({ method: "GET", path });
  if (status !== 200) throw new StatusError(failureOf(status, body));
  return { resource, scale: body as Scale };
}

async function observe(
  { client, informers }: ControllerContext,
  owner: HorizontalPodAutoscaler,
  { scale, selectors }: Target & { readonly selectors: Selectors },
): Promise<Scaled> {
  const { metadata, spec } = owner;
  const { namespace = "" } = metadata;
  const replicas = scale.spec.replicas ?? 0;
  const selector = scale.status?.selector ?? "";
  if (selector === "") return { replicas, selector, pods: [], usages: [], autoscalers: [] };
  const selects = parseLabelSelector(selector);
  const measures = (spec.metrics ?? []).some((metric) => metric.resource ?? metric.containerResource);
  const usages = measures
    ? await client.list(podMetrics, { namespace, labelSelector: selector }).then(
        ({ items }): readonly PodMetrics[] => items,
        (error) => new Error(messageOf(error)),
      )
    : [];
  // After the measuring, so that no pod is newer than what is known of it.
  const all = informers.of(pods).inNamespace(namespace);
  const selected = all.filter((pod) => selects(pod.metadata.labels));
  selectors.put(keyOf(owner), selector);
  return { replicas, selector, pods: selected, usages, autoscalers: selectors.of(selected) };
}

async function apply(
  { context, say }: Work,
  { resource, scale }: Target,
  plan: AutoscalePlan & Required<Pick<AutoscalePlan, "rescale">>,
): Promise<Omit<AutoscalePlan, "rescale">> {
  const { client, clock } = context;
  const path = pathOf(resource, { ...scale.metadata, subresource: "scale" });
  const body = { ...scale, spec: { ...scale.spec, replicas: plan.rescale.to } };
  const { status, body: answer } = await client.transport.request({ method: "PUT", path, body });
  const failure = status < 400 ? {} : { failure: new StatusError(failureOf(status, answer)).message };
  const done = afterRescale(plan, { nowMs: clock.now(), ...failure });
  say(done.events);
  return done;
}

async function writeStatus(
  { context, owner, writes }: Work,
  status: NonNullable<HorizontalPodAutoscaler["status"]>,
): Promise<void> {
  if (equalJson(owner.status ?? {}, status)) return;
  const written = await context.client.updateStatus(horizontalPodAutoscalers, { ...owner, status });
  writes.wrote(horizontalPodAutoscalers, written);
}
