import { expect, test } from "vitest";
import { createWorkQueue } from "../../../src/client/work-queue.ts";
import { createFakeClock } from "../controllers/fake-clock.ts";

function start() {
  const clock = createFakeClock();
  return { clock, queue: createWorkQueue({ clock, firstMs: 5, maxMs: 100 }) };
}

test("a key that is added twice comes once", async () => {
  const { queue } = start();
  queue.add("a");
  queue.add("b");
  queue.add("a");
  expect([await queue.get(), await queue.get()]).toEqual(["a", "b"]);
  expect(queue.size).toBe(0);
});

test("a key that is added while it is worked on comes again, and not before it is done", async () => {
  const { queue } = start();
  queue.add("a");
  expect(await queue.get()).toBe("a");
  queue.add("a");
  queue.add("a");
  expect(queue.size).toBe(0);
  queue.done("a");
  expect(queue.size).toBe(1);
  expect(await queue.get()).toBe("a");
  queue.done("a");
  expect(queue.size).toBe(0);
});

test("a waiting taker is given the key at once, and only one of them", async () => {
  const { queue } = start();
  const abort = new AbortController();
  const first = queue.get(abort.signal);
  const second = queue.get(abort.signal);
  queue.add("a");
  expect(await first).toBe("a");
  abort.abort();
  expect(await second).toBeUndefined();
});

test("of several delays the earliest counts", async () => {
  const { queue, clock } = start();
  queue.addAfter("a", 100);
  queue.addAfter("a", 20);
  queue.addAfter("a", 50);
  clock.advance(19);
  expect(queue.size).toBe(0);
  clock.advance(1);
  expect(queue.size).toBe(1);
  clock.advance(1000);
  expect(queue.size).toBe(1);
});

test("the back-off of a key doubles up to its ceiling and is forgotten on demand", () => {
  const { queue, clock } = start();
  const waited = () => {
    queue.addRateLimited("a");
    let ms = 0;
    for (; queue.size === 0; ms++) clock.advance(1);
    void queue.get();
    queue.done("a");
    return ms;
  };
  expect([1, 2, 3, 4, 5, 6, 7].map(waited)).toEqual([5, 10, 20, 40, 80, 100, 100]);
  queue.forget("a");
  expect(waited()).toBe(5);
});

test("stop ends takers and timers", async () => {
  const { queue, clock } = start();
  queue.addAfter("a", 10);
  const taken = queue.get();
  queue.stop();
  expect(await taken).toBeUndefined();
  clock.advance(100);
  queue.add("b");
  expect(await queue.get()).toBeUndefined();
});
