import { afterEach, expect, test } from "vitest";
import { createReleasedPods } from "../../../../agents/proxy/released-pods.ts";
import type { EndpointSlice } from "../../../../src/api/generated/types.ts";
import type { ProxyWorker } from "../../../../src/api/kinds/proxy-worker.ts";
import { StatusError } from "../../../../src/api/status-error.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { createTestContext, settle, type TestContext, until } from "../../controllers/context.ts";

let context: TestContext;
afterEach(() => context.stop());

function start(acknowledge = true) {
  context = createTestContext();
  const { client, clock } = context;
  return createReleasedPods({
    client,
    clock,
    log: silentLog,
    name: "proxy-0",
    status: () => ({ pid: 7 }),
    acknowledge,
  });
}

/** A slice with pods by uid; those after `ending` end. */
const slice = (live: readonly string[], ending: readonly string[] = []) =>
  ({
    endpoints: [...live, ...ending].map((uid) => ({
      addresses: ["127.16.1.2"],
      targetRef: { kind: "Pod", uid },
      conditions: { terminating: ending.includes(uid) },
    })),
  }) as unknown as EndpointSlice;
const released = () => context.api.get<ProxyWorker>("proxyworkers", "proxy-0")?.status?.released;

test("is silent until a pod ends, then names it", async () => {
  const pods = start();
  await pods.announce();
  expect(context.api.get<ProxyWorker>("proxyworkers", "proxy-0")?.status).toEqual({ pid: 7, released: [] });
  const written = context.api.writes.length;
  pods.applied("default/web", [slice(["a", "b"])]);
  pods.applied("default/web", [slice(["b", "c"])]);
  await settle();
  expect(context.api.writes).toHaveLength(written);
  pods.applied("default/web", [slice(["c"], ["b"])]);
  await until(() => released()?.join() === "b");
  // It ends still, and that it is gone then is nobody's question.
  const after = context.api.writes.length;
  pods.applied("default/web", [slice(["c"], ["b"])]);
  pods.applied("default/web", [slice(["c"])]);
  await settle();
  expect(context.api.writes).toHaveLength(after);
});

test("names a pod behind two Services once both have let go of it", async () => {
  const pods = start();
  await pods.announce();
  pods.applied("default/web", [slice(["a"])]);
  pods.applied("default/api", [slice(["a"])]);
  pods.applied("default/web", [slice([], ["a"])]);
  await settle();
  expect(released()).toEqual([]);
  pods.applied("default/api", [slice([], ["a"])]);
  await until(() => released()?.join() === "a");
});

test("three hundred pods that end together are two writes", async () => {
  const pods = start();
  await pods.announce();
  const before = context.api.writes.length;
  const all = Array.from({ length: 300 }, (_, index) => `pod-${index}`);
  for (let count = 1; count <= 300; count++)
    pods.applied("default/web", [slice(all.slice(count), all.slice(0, count))]);
  await until(() => released()?.length === 300);
  expect(context.api.writes.length - before).toBeLessThanOrEqual(2);
});

test("tries again when the API fails, and writes nothing where nobody waits", async () => {
  const pods = start();
  await pods.announce();
  let failures = 0;
  context.api.refuse = (write) =>
    write.includes("proxyworkers") && failures++ < 2
      ? new StatusError({ status: "Failure", code: 500, reason: "InternalError", message: "no" } as never)
      : undefined;
  pods.applied("default/web", [slice([], ["a"])]);
  await until(() => failures > 0);
  await until(() => {
    context.clock.advance(60);
    return released()?.join() === "a";
  });
  await context.stop();

  const quiet = start(false);
  await quiet.announce();
  const before = context.api.writes.length;
  quiet.applied("default/web", [slice([], ["a"])]);
  await settle();
  expect(context.api.writes).toHaveLength(before);
});
