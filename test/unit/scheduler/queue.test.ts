import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { resourcesFit } from "../../../src/scheduler/filters/resources-fit.ts";
import { taints } from "../../../src/scheduler/filters/taints.ts";
import { createHeap } from "../../../src/scheduler/heap.ts";
import { type QueuedPod, SchedulingQueue } from "../../../src/scheduler/queue.ts";
import { createFakeClock, type FakeClock } from "../controllers/fake-clock.ts";
import { makePod } from "../controllers/objects.ts";

let clock: FakeClock;
let queue: SchedulingQueue;
let woken: number;

beforeEach(() => {
  clock = createFakeClock();
  woken = 0;
  queue = new SchedulingQueue({ clock, firstMs: 100, maxMs: 1000, flushMs: 60_000, wake: () => woken++ });
});

const names = () => {
  const popped: string[] = [];
  for (let pod = queue.pop(); pod; pod = queue.pop()) popped.push(pod.info.pod.metadata.name);
  return popped;
};
const popOne = () => queue.pop() as QueuedPod;

describe("the scheduling queue", () => {
  it("gives the highest priority first, then the one that waits longest", () => {
    queue.set(makePod("first"));
    clock.advance(1);
    queue.set(makePod("second"));
    queue.set(makePod("urgent", { spec: { priority: 10 } }));
    queue.set(makePod("third"));
    expect(names()).toEqual(["urgent", "first", "second", "third"]);
  });

  it("brings an unschedulable pod back only for a change that can help its filter, after its back-off", () => {
    queue.set(makePod("p"));
    queue.park(popOne(), new Set([taints]));
    queue.changed("pod-removed");
    clock.advance(500);
    expect(names()).toEqual([]);
    queue.changed("node-changed");
    expect(names()).toEqual(["p"]);
  });

  it("backs off longer after each failure, up to the ceiling", () => {
    queue.set(makePod("p"));
    for (const waitMs of [100, 200, 400, 800, 1000, 1000]) {
      queue.park(popOne(), new Set([resourcesFit]));
      queue.changed("pod-removed");
      clock.advance(waitMs - 1);
      expect(queue.pop()).toBeUndefined();
      woken = 0;
      clock.advance(1);
      expect(woken).toBe(1);
    }
  });

  it("tries an unschedulable pod again when its patience ends", () => {
    queue.set(makePod("p"));
    queue.park(popOne(), new Set([taints]));
    clock.advance(59_999);
    expect(names()).toEqual([]);
    clock.advance(1);
    expect(names()).toEqual(["p"]);
  });

  it("tries again at once when the pod itself changes, but not for its status", () => {
    const pod = makePod("p");
    queue.set(pod);
    queue.park(popOne(), new Set([taints]));
    clock.advance(100);
    queue.set({ ...pod, status: { phase: "Pending", reason: "new" } });
    expect(names()).toEqual([]);
    queue.set(makePod("p", { spec: { tolerations: [{ operator: "Exists" }] } }));
    expect(names()).toEqual(["p"]);
  });

  it("forgets a removed pod wherever it is", () => {
    queue.set(makePod("active"));
    queue.set(makePod("waiting", { spec: { priority: 1 } }));
    queue.park(popOne(), new Set([taints]));
    queue.remove("uid-default-active");
    queue.remove("uid-default-waiting");
    queue.changed("node-added");
    clock.advance(100_000);
    expect(names()).toEqual([]);
  });
});

describe("the heap", () => {
  it("gives everything back in order", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (numbers) => {
        const heap = createHeap<number>((a, b) => a - b);
        for (const number of numbers) heap.push(number);
        expect(numbers.map(() => heap.pop())).toEqual([...numbers].sort((a, b) => a - b));
        expect(heap.pop()).toBeUndefined();
      }),
    );
  });
});
