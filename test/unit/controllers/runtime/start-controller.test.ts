import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConfigMap } from "../../../../src/api/generated/types.ts";
import { configMaps } from "../../../../src/api/kinds/config-map.ts";
import { keyOf } from "../../../../src/api/object.ts";
import { conflict } from "../../../../src/api/status-error.ts";
import { silentLog } from "../../../../src/base/log.ts";
import type { RunningController } from "../../../../src/controllers/runtime/context.ts";
import {
  type ControllerOptions,
  startController,
} from "../../../../src/controllers/runtime/start-controller.ts";
import { createTestContext, settle, type TestContext, until } from "../context.ts";

let context: TestContext;
let controller: RunningController | undefined;
beforeEach(() => {
  context = createTestContext();
});
afterEach(async () => {
  await controller?.stop();
  await context.stop();
});

const put = (name: string, data: Record<string, string> = {}) =>
  context.api.put("configmaps", { metadata: { name, namespace: "default" }, data });

function start(reconcile: ControllerOptions["reconcile"], log = silentLog) {
  controller = startController(
    { ...context, log },
    {
      name: "test",
      watch: (enqueue) => [
        context.informers.of(configMaps).onChange((after, before) => enqueue(keyOf((after ?? before)!))),
      ],
      reconcile,
    },
  );
}

test("nothing is reconciled before every informer is synced, and then each object once", async () => {
  put("a");
  put("b");
  const seen: string[] = [];
  start(async (key) => {
    seen.push(`${key} of ${context.informers.of(configMaps).list().length}`);
  });
  await settle();
  expect(seen).toEqual(["default/a of 2", "default/b of 2"]);
});

test("a key is held until the cache shows what was written: no pass acts on a past it changed itself", async () => {
  put("counter", { value: "0" });
  const passes: string[] = [];
  start(async (key, _signal, writes) => {
    const object = context.informers.of(configMaps).get(key) as ConfigMap;
    const value = Number(object.data?.["value"]);
    passes.push(String(value));
    if (value === 5) return;
    writes.wrote(
      configMaps,
      await context.client.update(configMaps, { ...object, data: { value: String(value + 1) } }),
    );
  });
  await until(() => passes.includes("5"));
  await settle();
  expect([...new Set(passes)]).toEqual(passes);
  expect(context.api.writes).toHaveLength(5);
});

test("a deleted object is not seen again after its delete was noted", async () => {
  put("a");
  let deletes = 0;
  start(async (key, _signal, writes) => {
    const object = context.informers.of(configMaps).get(key);
    if (!object) return;
    deletes += 1;
    await context.client.delete(configMaps, object.metadata);
    writes.deleted(configMaps, object);
  });
  await settle();
  expect(deletes).toBe(1);
});

test("a failure is retried after a growing pause and reported; a lost race is retried in silence", async () => {
  const warned: string[] = [];
  const log = { ...silentLog, error: (_: unknown, text: string) => void warned.push(text), child: () => log };
  const errors = [conflict(configMaps, "a"), new Error("broken"), undefined];
  const at: number[] = [];
  put("a");
  const from = context.clock.now();
  start(async () => {
    at.push(context.clock.now() - from);
    const error = errors.shift();
    if (error) throw error;
  }, log);
  for (let ms = 0; ms < 100; ms++) {
    await settle(5);
    context.clock.advance(1);
  }
  const { requeueMs } = context.timing;
  expect(at).toHaveLength(3);
  expect(at[2]! - at[1]!).toBeGreaterThanOrEqual(2 * requeueMs);
  expect(warned).toEqual(["reconcile failed"]);
});

test("a reconcile may ask to be called again later", async () => {
  put("a");
  let calls = 0;
  start(async () => {
    calls += 1;
    return calls === 1 ? { requeueAfterMs: 5000 } : undefined;
  });
  await settle();
  context.clock.advance(4999);
  await settle();
  expect(calls).toBe(1);
  context.clock.advance(1);
  await settle();
  expect(calls).toBe(2);
});

test("stop waits for the reconcile that is under way", async () => {
  put("a");
  let ended = false;
  let begun = false;
  start(async (_key, signal) => {
    begun = true;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => setImmediate(resolve)));
    ended = true;
  });
  await until(() => begun);
  await controller?.stop();
  expect(ended).toBe(true);
});
