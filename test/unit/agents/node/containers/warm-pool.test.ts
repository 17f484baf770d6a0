import { expect, test } from "vitest";
import type { EmptyContainer } from "../../../../../agents/node/containers/process.ts";
import { createWarmPool } from "../../../../../agents/node/containers/warm-pool.ts";
import { silentLog } from "../../../../../src/base/log.ts";
import { createFakeClock } from "../../../controllers/fake-clock.ts";

function makePool(size: number) {
  const clock = createFakeClock();
  const killed: number[] = [];
  const ends: (() => void)[] = [];
  const start = () => {
    const pid = ends.length;
    const exited = new Promise<void>((resolve) => ends.push(resolve));
    return { process: { pid, exited, signal: () => killed.push(pid) } } as unknown as EmptyContainer;
  };
  return {
    clock,
    killed,
    ends,
    pool: createWarmPool({ size, afterMs: 1_600, start, clock, log: silentLog }),
  };
}

test("is empty while a cluster starts, and fills one after another then", () => {
  const { clock, ends } = makePool(2);
  clock.advance(1_999);
  expect(ends).toHaveLength(0);
  clock.advance(1);
  expect(ends).toHaveLength(1);
  clock.advance(1_000);
  expect(ends).toHaveLength(2);
});

test("a burst of pods while the cluster starts, and after it, has the processor for itself", () => {
  const { clock, ends, pool } = makePool(2);
  clock.advance(1_500);
  pool.take();
  clock.advance(499);
  expect(ends).toHaveLength(1);
  clock.advance(1_000);
  expect(ends).toHaveLength(3);
  expect(pool.take().process.pid).toBe(1);
  clock.advance(399);
  expect(pool.take().process.pid).toBe(2);
  clock.advance(399);
  expect(ends).toHaveLength(3);
  clock.advance(1);
  expect(ends).toHaveLength(4);
});

test("fills between containers that are restarted again and again from the start on", () => {
  const { clock, ends, pool } = makePool(1);
  const cold = [1, 2, 3, 4].map(() => {
    clock.advance(1_500);
    const before = ends.length;
    pool.take();
    return ends.length > before;
  });
  expect(cold).toEqual([true, false, false, false]);
});

test("a pod that is on its way has a process booting for it, also while the cluster starts, and never more than the pool holds", () => {
  const { ends, pool } = makePool(2);
  pool.expect();
  expect(ends).toHaveLength(1);
  expect(pool.take().process.pid).toBe(0);
  for (let pods = 0; pods < 5; pods++) pool.expect();
  expect(ends).toHaveLength(3);
  expect([pool.take(), pool.take(), pool.take()].map(({ process }) => process.pid)).toEqual([1, 2, 3]);
  pool.stop();
  pool.expect();
  expect(ends).toHaveLength(4);
});

test("what has ended is not handed out but replaced when the next one is taken", async () => {
  const { clock, ends, pool } = makePool(1);
  clock.advance(3_000);
  ends[0]?.();
  await Promise.resolve();
  await Promise.resolve();
  expect(pool.take().process.pid).toBe(1);
});

test("ends what it has when it stops, and starts nothing more", () => {
  const { clock, ends, killed, pool } = makePool(2);
  clock.advance(3_000);
  pool.stop();
  expect(killed).toEqual([0, 1]);
  clock.advance(3_000);
  expect(ends).toHaveLength(2);
});
