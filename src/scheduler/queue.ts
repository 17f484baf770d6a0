// The pods that wait for a node. Each is in exactly one place: active (tried as soon as possible, highest priority first),
// backing off (failed lately; active again when its time is up), or unschedulable (until something changes that could help,
// or the flush). A pod that is being tried is in none.

import type { Pod } from "../api/generated/types.ts";
import type { Clock } from "../base/clock.ts";
import type { ClusterChange, Filter } from "./filters/filter.ts";
import { createHeap } from "./heap.ts";
import { type PodInfo, podInfo } from "./pod-info.ts";

export interface QueuedPod {
  info: PodInfo;
  /** When it first came in: among equals of priority the one that waits longest goes first. */
  readonly since: number;
  readonly sequence: number;
  attempts: number;
  /** When the last try failed. */
  failedAt: number;
  rejectedBy: ReadonlySet<Filter>;
}

export interface QueueOptions {
  readonly clock: Clock;
  readonly firstMs: number;
  readonly maxMs: number;
  readonly flushMs: number;
  /** Called whenever the active part is no longer empty. */
  readonly wake: () => void;
}

const NONE: ReadonlySet<Filter> = new Set();

export class SchedulingQueue {
  readonly #options: QueueOptions;
  readonly #active = createHeap<QueuedPod>(
    (a, b) => b.info.priority - a.info.priority || a.since - b.since || a.sequence - b.sequence,
  );
  readonly #where = new Map<string, { pod: QueuedPod; place: "active" | "backoff" | "unschedulable" }>();
  #cancelTimer: (() => void) | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #sequence = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** A pod without a node, new or changed. Status changes of a waiting pod do not bring it back early; others do. */
  set(pod: Readonly<Pod>): void {
    const found = this.#where.get(pod.metadata.uid);
    const info = podInfo(pod);
    if (!found) {
      const since = this.#options.clock.now();
      const entry = { info, since, sequence: this.#sequence++, attempts: 0, failedAt: 0, rejectedBy: NONE };
      this.#activate(entry);
      return;
    }
    const before = found.pod.info.pod;
    const changed =
      JSON.stringify([pod.spec, pod.metadata.labels]) !==
      JSON.stringify([before.spec, before.metadata.labels]);
    found.pod.info = info;
    // Entries of the heap stay where they are: a pod's priority never changes.
    if (changed && found.place === "unschedulable") this.#retry(found.pod);
  }

  remove(uid: string): void {
    this.#where.delete(uid);
  }

  /** The pod to try next. */
  pop(): QueuedPod | undefined {
    for (let pod = this.#active.pop(); pod; pod = this.#active.pop()) {
      const found = this.#where.get(pod.info.uid);
      // Removed, or removed and added again, while it was in the heap.
      if (found?.pod !== pod || found.place !== "active") continue;
      this.#where.delete(pod.info.uid);
      pod.attempts++;
      return pod;
    }
    return undefined;
  }

  /** Puts back a pod that no node would do for. */
  park(pod: QueuedPod, rejectedBy: ReadonlySet<Filter>): void {
    pod.rejectedBy = rejectedBy;
    pod.failedAt = this.#options.clock.now();
    this.#wait(pod, "unschedulable");
  }

  /** Puts back a pod whose binding failed: tried again after its back-off, whatever happens. */
  backOff(pod: QueuedPod): void {
    pod.failedAt = this.#options.clock.now();
    this.#wait(pod, "backoff");
  }

  /** Something changed in the cluster: brings back the pods that it may help. */
  changed(change: ClusterChange): void {
    for (const { pod, place } of [...this.#where.values()]) {
      if (place !== "unschedulable") continue;
      if (pod.rejectedBy.size === 0 || [...pod.rejectedBy].some(({ helpedBy }) => helpedBy.has(change)))
        this.#retry(pod);
    }
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#where.clear();
  }

  #backoffEnd({ attempts, failedAt }: QueuedPod): number {
    const { firstMs, maxMs } = this.#options;
    return attempts === 0 ? 0 : failedAt + Math.min(firstMs * 2 ** (attempts - 1), maxMs);
  }

  #retry(pod: QueuedPod): void {
    if (this.#backoffEnd(pod) <= this.#options.clock.now()) this.#activate(pod);
    else this.#wait(pod, "backoff");
  }

  #activate(pod: QueuedPod): void {
    this.#where.set(pod.info.uid, { pod, place: "active" });
    this.#active.push(pod);
    this.#options.wake();
  }

  #wait(pod: QueuedPod, place: "backoff" | "unschedulable"): void {
    const entry = { pod, place };
    this.#where.set(pod.info.uid, entry);
    this.#wakeAt(this.#due(entry));
  }

  /** One timer, for the earliest pod whose back-off or patience ends. One that fires too early does no harm. */
  #wakeAt(due: number): void {
    if (due >= this.#timerAt) return;
    this.#cancelTimer?.();
    this.#timerAt = due;
    const { clock } = this.#options;
    this.#cancelTimer = clock.after(Math.max(due - clock.now(), 0), () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      let next = Number.POSITIVE_INFINITY;
      for (const entry of [...this.#where.values()]) {
        const entryDue = this.#due(entry);
        if (entryDue <= clock.now()) this.#activate(entry.pod);
        else next = Math.min(next, entryDue);
      }
      this.#wakeAt(next);
    });
  }

  #due({ pod, place }: { pod: QueuedPod; place: string }): number {
    if (place === "backoff") return this.#backoffEnd(pod);
    return place === "unschedulable" ? pod.failedAt + this.#options.flushMs : Number.POSITIVE_INFINITY;
  }
}
