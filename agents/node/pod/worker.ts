// One pod's loop: look at the pod and at what runs, do what planPod says, write the status; again whenever something
// changed. One thing at a time for each pod, so nothing here races with itself. A pod that is being deleted is ended
// here too; a Pod object that is gone means its processes end at once.
import type { Pod } from "../../../src/api/generated/types.ts";
import { pods } from "../../../src/api/kinds/pod.ts";
import { hasReason } from "../../../src/api/status-error.ts";
import { expectContainer, startContainer } from "../containers/start.ts";
import { stopContainer } from "../containers/stop.ts";
import type { NodeContext, PodRecord } from "../context.ts";
import { containerEvents } from "../events.ts";
import { admitPod } from "./admission.ts";
import { awaitEndpointRemoval } from "./endpoint-removal.ts";
import { planPod } from "./plan.ts";
import { planResize } from "./resize.ts";
import {
  at,
  MountFailure,
  openHostPorts,
  prepareNetwork,
  prepareVolumes,
  releaseSandbox,
  removeDirectory,
  takeNewer,
} from "./sandbox.ts";
import { noteEphemeral } from "./state.ts";
import { createStatusWriter, type StatusWriter } from "./status-writer.ts";

export interface PodWorker {
  readonly record: PodRecord;
  /** A newer version of the Pod. */
  update(pod: Readonly<Pod>): void;
  wake(): void;
  /** The Pod object is gone: SIGKILL now. Resolves when nothing of it is left. */
  gone(): Promise<void>;
  /** The node shuts down: ends the containers within `graceMs`, leaves the Pod object alone. */
  shutdown(graceMs: number): Promise<void>;
}

// The kubelet says so and tries again with a growing pause; a referenced object that appears wakes the pod at once.
const RETRY_MS = 1_000;
const RETRY_MAX_MS = 30_000;

export interface PodWorkerOptions {
  readonly context: NodeContext;
  readonly record: PodRecord;
  /** The other live pods of this node. */
  others(): readonly Readonly<Pod>[];
  readonly admitted: boolean;
}

export function startPodWorker({ context, record, others, admitted }: PodWorkerOptions): PodWorker {
  const worker = new Worker(context, record, others);
  worker.admitted = admitted;
  record.wake = () => worker.wake();
  worker.wake();
  return worker;
}

class Worker implements PodWorker {
  readonly record: PodRecord;
  admitted = false;
  private readonly context: NodeContext;
  private readonly others: () => readonly Readonly<Pod>[];
  private readonly status: StatusWriter;
  private readonly killed = new AbortController();
  /** A grace period that has been shortened while it ran is over. */
  private readonly cutShort = new AbortController();
  private cancelCut = () => {};
  private graceSeconds: number | undefined;
  private dirty = false;
  private running: Promise<void> | undefined;
  private cancelTimer = () => {};
  private failures = 0;
  private ended = false;

  constructor(context: NodeContext, record: PodRecord, others: () => readonly Readonly<Pod>[]) {
    this.context = context;
    this.record = record;
    this.graceSeconds = record.pod.metadata.deletionGracePeriodSeconds;
    this.others = others;
    this.status = createStatusWriter(context, record);
  }

  update(pod: Readonly<Pod>): void {
    takeNewer(this.record, pod);
    if (pod.metadata.deletionTimestamp) this.record.ending.abort();
    this.noteGrace();
    this.wake();
  }

  /** A second delete may shorten what the first one has begun: as in the kubelet, the new time counts from now. */
  private noteGrace(): void {
    const before = this.graceSeconds;
    const seconds = this.record.pod.metadata.deletionGracePeriodSeconds;
    this.graceSeconds = seconds;
    if (before === undefined || seconds === undefined || seconds >= before) return;
    this.cancelCut();
    this.cancelCut = this.context.clock.after(seconds * 1000, () => this.cutShort.abort());
  }

  wake(): void {
    this.dirty = true;
    if (!this.ended)
      this.running ??= this.loop().finally(() => {
        this.running = undefined;
      });
  }

  async gone(): Promise<void> {
    this.killed.abort();
    this.status.stop();
    this.record.ending.abort();
    this.wake();
    await this.running;
    this.ended = true;
    this.cancelTimer();
    this.cancelCut();
    await this.stopAll(0);
    await releaseSandbox(this.context, this.record);
    await removeDirectory(this.record).catch(() => {});
  }

  async shutdown(graceMs: number): Promise<void> {
    this.ended = true;
    this.record.ending.abort();
    this.cancelTimer();
    await this.running;
    this.cancelCut();
    await this.stopAll(graceMs);
    await Promise.race([this.status.flush(), this.context.clock.sleep(SHUTDOWN_STATUS_MS)]);
    this.status.stop();
    await releaseSandbox(this.context, this.record);
  }

  private async loop(): Promise<void> {
    // Changes that come together, in one turn of the event loop, are one look at the pod.
    await Promise.resolve();
    while (this.dirty && !this.ended && !this.killed.signal.aborted) {
      this.dirty = false;
      this.cancelTimer();
      try {
        const wakeAt = await this.sync();
        this.failures = 0;
        if (wakeAt !== undefined) this.wakeAfter(wakeAt - this.context.clock.now());
      } catch (error) {
        this.retry(error);
      }
    }
  }

  private wakeAfter(delayMs: number): void {
    this.cancelTimer = this.context.clock.after(Math.max(delayMs, 1), () => this.wake());
  }

  private retry(error: unknown): void {
    const { recorder, log } = this.context;
    const { pod } = this.record;
    if (this.killed.signal.aborted || (this.record.ending.signal.aborted && !pod.metadata.deletionTimestamp))
      return;
    if (error instanceof MountFailure) recorder.event(pod, "Warning", "FailedMount", error.message);
    else log.warn({ pod: pod.metadata.name, error: String(error) }, "pod not in step; trying again");
    this.failures += 1;
    this.wakeAfter(Math.min(RETRY_MS * 2 ** (this.failures - 1), RETRY_MAX_MS));
  }

  /** One look at the pod. Resolves with the time of the next one, where there must be one. */
  private async sync(): Promise<number | undefined> {
    const { record, context } = this;
    if (record.pod.metadata.deletionTimestamp) return await this.terminate();
    const { state } = record;
    const isOver = record.pod.status?.phase === "Succeeded" || record.pod.status?.phase === "Failed";
    if (isOver && !state.containers.some(({ running }) => running)) {
      if (state.sandbox) await releaseSandbox(context, record);
      return undefined;
    }
    if (!this.admitted) {
      if (!this.admit()) {
        await this.status.flush();
        return undefined;
      }
      expectContainer(context, record.pod);
    }
    noteEphemeral(record.pod, state);
    state.resize = planResize(record.pod, state.resize?.allocated, {
      others: this.others(),
      allocatable: context.allocatable,
    });
    await this.prepare();
    return await this.act();
  }

  private admit(): boolean {
    const { record, context } = this;
    const refusal = admitPod(record.pod, this.others(), context.allocatable);
    this.admitted = true;
    record.state.startTime ??= context.clock.now();
    if (!refusal) return true;
    context.recorder.event(record.pod, "Warning", refusal.reason, refusal.message);
    record.state.failure = { reason: refusal.reason, message: `Pod was rejected: ${refusal.message}` };
    return false;
  }

  private async prepare(): Promise<void> {
    const { record, context } = this;
    record.state.startTime ??= context.clock.now();
    if (!record.state.sandbox) {
      await prepareNetwork(context, record);
      await openHostPorts(context, record);
      record.state.sandbox = true;
      this.status.request();
    }
    await prepareVolumes(context, record);
  }

  private async act(): Promise<number | undefined> {
    const { record, context } = this;
    const { state } = record;
    const plan = planPod(record.pod, state, context.clock.now());
    if (plan.failure && !state.failure) {
      state.failure = plan.failure;
      context.recorder.event(record.pod, "Normal", plan.failure.reason, plan.failure.message);
    }
    let wakeAt = plan.wakeAt ?? Number.POSITIVE_INFINITY;
    for (const container of state.containers) {
      const waiting = plan.waiting.get(container.name);
      if (!waiting || container.waiting?.reason === waiting.reason) continue;
      container.waiting = waiting;
      this.eventsOf(container.name).backoff();
    }
    this.status.request();
    await Promise.all(plan.stop.map((name) => this.stop(name, this.graceMs())));
    for (const name of plan.start) {
      const container = state.containers.find((one) => one.name === name);
      if (!container || record.ending.signal.aborted) break;
      const { retryAt } = await context.slots.run(() => startContainer(context, record, container));
      if (retryAt !== undefined) wakeAt = Math.min(wakeAt, retryAt);
      this.status.request();
    }
    this.noteInitialized();
    this.status.request();
    if (plan.start.length > 0 || plan.stop.length > 0)
      this.dirty ||= hasMoreToDo(this.record, context.clock.now());
    if (plan.finished) await this.status.flush();
    if (state.resize?.pending?.reason === "Deferred")
      wakeAt = Math.min(wakeAt, context.clock.now() + RESIZE_CHECK_MS);
    if (hasToken(record.pod)) wakeAt = Math.min(wakeAt, context.clock.now() + TOKEN_CHECK_MS);
    return Number.isFinite(wakeAt) ? wakeAt : undefined;
  }

  private noteInitialized(): void {
    const { state } = this.record;
    const init = state.containers.filter(({ role }) => role === "init");
    if (init.every(({ running, last }) => !running && last?.exitCode === 0)) state.initialized = true;
  }

  /** Ends the pod: endpoints first (fast profile), containers, then the object itself. */
  private async terminate(): Promise<undefined> {
    const { record, context } = this;
    const { deletionGracePeriodSeconds = 30, deletionTimestamp = "" } = record.pod.metadata;
    const graceMs = deletionGracePeriodSeconds * 1000;
    // The timestamp says when the grace period ends; a node that slept through it has none left to give.
    const overdueMs = context.clock.now() - Date.parse(deletionTimestamp);
    const leftMs = overdueMs > 1000 ? Math.min(graceMs, 1000) : graceMs;
    if (context.timing.profile === "fast" && context.settings.endpointLagMs === 0 && leftMs > 0)
      await awaitEndpointRemoval(context, record, this.killed.signal);
    await this.stopAll(leftMs);
    if (this.killed.signal.aborted) return;
    await this.status.flush();
    await releaseSandbox(context, record);
    try {
      await context.client.delete(pods, at(record), {
        gracePeriodSeconds: 0,
        preconditions: { uid: record.uid },
      });
    } catch (error) {
      if (!hasReason(error, "NotFound") && !hasReason(error, "Conflict")) throw error;
    }
  }

  /** App containers together, then sidecars one by one, the last one first. */
  private async stopAll(graceMs: number): Promise<void> {
    const { containers } = this.record.state;
    const deadline = this.context.clock.now() + graceMs;
    const left = () => Math.max(deadline - this.context.clock.now(), 0);
    const names = (sidecar: boolean) =>
      containers.filter(({ role }) => (role === "sidecar") === sidecar).map(({ name }) => name);
    await Promise.all(names(false).map((name) => this.stop(name, graceMs)));
    for (const name of names(true).reverse()) await this.stop(name, left());
  }

  private async stop(name: string, graceMs: number): Promise<void> {
    const { record, context } = this;
    const container = record.state.containers.find((one) => one.name === name);
    if (!container) return;
    const isRunning = container.running !== undefined;
    await stopContainer(context, record, {
      state: container,
      graceMs,
      events: isRunning && !container.stopping ? this.eventsOf(name) : undefined,
      signal: AbortSignal.any([this.killed.signal, this.cutShort.signal]),
    });
    // Its end is noted a moment after the process is gone: with the log written and the last words read.
    while (container.running) await context.clock.sleep(2);
  }

  private graceMs(): number {
    return (this.record.pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
  }

  private eventsOf(name: string) {
    const { record, context } = this;
    const role = record.state.containers.find((one) => one.name === name)?.role;
    return containerEvents(context.recorder, record.pod, { name, role });
  }
}

const SHUTDOWN_STATUS_MS = 1_000;
// How often a pod that waits for room to grow is looked at.
const RESIZE_CHECK_MS = 2_000;
// How often a pod with a service account token is looked at, to renew it in time.
const TOKEN_CHECK_MS = 60_000;

const hasToken = (pod: Readonly<Pod>) =>
  pod.spec?.volumes?.some(({ projected }) =>
    projected?.sources?.some((source) => source.serviceAccountToken),
  );

const hasMoreToDo = ({ pod, state }: PodRecord, now: number) => {
  const { start, stop } = planPod(pod, state, now);
  return stop.length > 0 || start.some((name) => !state.containers.find((one) => one.name === name)?.waiting);
};
