import { afterEach, expect, test } from "vitest";
import type { NodeContext, PodRecord } from "../../../../../agents/node/context.ts";
import { awaitEndpointRemoval } from "../../../../../agents/node/pod/endpoint-removal.ts";
import { proxyWorkers } from "../../../../../src/api/kinds/proxy-worker.ts";
import { services } from "../../../../../src/api/kinds/service.ts";
import { createTestContext, settle, type TestContext } from "../../../controllers/context.ts";
import { makePod, makeService } from "../../../controllers/objects.ts";

let context: TestContext;
afterEach(() => context.stop());

const worker = (index: number, ...released: string[]) =>
  context.api.put("proxyworkers", { metadata: { name: `proxy-${index}` }, status: { pid: 1, released } });

/** Waits for the pod `web-1` of Service `web`; `ended` says whether it still does. */
async function wait({ labels = { app: "web" }, running = true, signal = new AbortController().signal } = {}) {
  const { informers, client, clock } = context;
  const node = {
    client,
    clock,
    services: informers.of(services),
    proxyWorkers: informers.of(proxyWorkers),
  } as unknown as NodeContext;
  await informers.synced();
  const pod = makePod("web-1", { labels } as never);
  const record = {
    pod: { ...pod, metadata: { ...pod.metadata, labels, uid: "u1" } },
    uid: "u1",
    state: { containers: [{ name: "web", running: running ? { startedAt: 0 } : undefined }] },
  } as unknown as PodRecord;
  const state = { ended: false };
  void awaitEndpointRemoval(node, record, signal).then(() => {
    state.ended = true;
  });
  await settle();
  return state;
}

function start() {
  context = createTestContext();
  context.api.put("services", makeService("web", { selector: { app: "web" } }));
}

test("goes on once every worker has let go of the pod, and not before", async () => {
  start();
  worker(0);
  worker(1);
  const state = await wait();
  expect(state.ended).toBe(false);
  worker(0, "other", "u1");
  await settle();
  expect(state.ended).toBe(false);
  worker(1, "u1");
  await settle();
  expect(state.ended).toBe(true);
});

test("waits a quarter of a second for a worker that never answers", async () => {
  start();
  worker(0, "u1");
  worker(1);
  const state = await wait();
  context.clock.advance(249);
  await settle();
  expect(state.ended).toBe(false);
  context.clock.advance(1);
  await settle();
  expect(state.ended).toBe(true);
});

test("waits a second where nobody answers, as without controllers", async () => {
  start();
  worker(0);
  const state = await wait();
  context.clock.advance(999);
  await settle();
  expect(state.ended).toBe(false);
  context.clock.advance(1);
  await settle();
  expect(state.ended).toBe(true);
});

test("does not wait for what no Service selects, for what does not run, without proxies, or when killed", async () => {
  start();
  worker(0);
  expect((await wait({ labels: { app: "other" } })).ended).toBe(true);
  expect((await wait({ running: false })).ended).toBe(true);
  const killed = new AbortController();
  const state = await wait({ signal: killed.signal });
  expect(state.ended).toBe(false);
  killed.abort();
  await settle();
  expect(state.ended).toBe(true);
  context.api.remove("proxyworkers", "proxy-0");
  await settle();
  expect((await wait()).ended).toBe(true);
});
