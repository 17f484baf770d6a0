import { afterEach, expect, test } from "vitest";
import type { Event } from "../../../src/api/generated/types.ts";
import { statusError } from "../../../src/api/status-error.ts";
import { createRecorder } from "../../../src/client/recorder.ts";
import { createTestContext, type TestContext } from "../controllers/context.ts";
import { makeNode, makePod } from "../controllers/objects.ts";

let context: TestContext;
afterEach(() => context.stop());

function start() {
  context = createTestContext();
  const { client, clock } = context;
  return createRecorder(client, { component: "kubelet", host: "n1", clock });
}
const recorded = () => context.api.list<Event>("events");

test("an event has the fields that kubectl describe asks for", async () => {
  const recorder = start();
  const pod = makePod("web");
  recorder.event(pod, "Normal", "Started", "Container started", { fieldPath: "spec.containers{web}" });
  await recorder.flush();
  const [event] = recorded();
  expect(event).toMatchObject({
    apiVersion: "v1",
    kind: "Event",
    type: "Normal",
    reason: "Started",
    message: "Container started",
    count: 1,
    firstTimestamp: "2026-01-02T03:04:05Z",
    lastTimestamp: "2026-01-02T03:04:05Z",
    source: { component: "kubelet", host: "n1" },
    reportingComponent: "kubelet",
    reportingInstance: "n1",
    involvedObject: {
      kind: "Pod",
      apiVersion: "v1",
      namespace: "default",
      name: "web",
      uid: pod.metadata.uid,
      fieldPath: "spec.containers{web}",
    },
  });
  expect(event?.metadata.name).toMatch(/^web\.[0-9a-f]{16}$/);
});

test("what can wait is written later, with the time at which it happened; a flush does not wait for it", async () => {
  const recorder = start();
  const node = makeNode("n1");
  recorder.event(node, "Normal", "Starting", "Starting kubelet.", { writtenAfterMs: 1_600 });
  recorder.event(node, "Normal", "Rebooted", "at once");
  context.clock.advance(1_500);
  await expect.poll(() => recorded().map(({ reason }) => reason)).toEqual(["Rebooted"]);
  context.clock.advance(500);
  await expect.poll(() => recorded()).toHaveLength(2);
  expect(recorded().find(({ reason }) => reason === "Starting")).toMatchObject({
    firstTimestamp: "2026-01-02T03:04:05Z",
    lastTimestamp: "2026-01-02T03:04:05Z",
  });
  recorder.event(node, "Normal", "NodeReady", "Node n1 status is now: NodeReady", { writtenAfterMs: 60_000 });
  await recorder.flush();
  expect(recorded()).toHaveLength(3);
});

test("what happens again is counted, not written again", async () => {
  const recorder = start();
  const pod = makePod("web");
  for (let i = 0; i < 3; i++) recorder.event(pod, "Warning", "BackOff", "Back-off restarting");
  await recorder.flush();
  context.clock.advance(60_000);
  recorder.event(pod, "Warning", "BackOff", "Back-off restarting");
  await recorder.flush();
  expect(recorded()).toHaveLength(1);
  expect(recorded()[0]).toMatchObject({
    count: 4,
    firstTimestamp: "2026-01-02T03:04:05Z",
    lastTimestamp: "2026-01-02T03:05:05Z",
  });
});

test("an event that has expired begins anew", async () => {
  const recorder = start();
  const pod = makePod("web");
  recorder.event(pod, "Normal", "Pulled", "pulled");
  await recorder.flush();
  context.api.remove("events", `default/${recorded()[0]?.metadata.name}`);
  recorder.event(pod, "Normal", "Pulled", "pulled");
  await recorder.flush();
  expect(recorded().map(({ count }) => count)).toEqual([1]);
});

test("many different messages of one reason are combined", async () => {
  const recorder = start();
  const pod = makePod("web");
  for (let i = 0; i < 14; i++) recorder.event(pod, "Warning", "Unhealthy", `probe failed: ${i}`);
  await recorder.flush();
  const events = recorded();
  expect(events).toHaveLength(10);
  expect(events.at(-1)).toMatchObject({
    count: 5,
    message: "(combined from similar events): probe failed: 13",
  });
});

test("a noisy object is held back, others are not", async () => {
  const recorder = start();
  for (let i = 0; i < 200; i++) recorder.event(makePod("noisy"), "Normal", "Again", "again");
  recorder.event(makePod("quiet"), "Normal", "Once", "once");
  await recorder.flush();
  expect(recorded().map(({ count }) => count)).toEqual([50, 1]);
});

test("events about what has no namespace lie in default", async () => {
  const recorder = start();
  recorder.event(makeNode("n1"), "Normal", "NodeReady", "ready");
  await recorder.flush();
  expect(recorded()[0]?.metadata.namespace).toBe("default");
});

test("a refusal is no error of whoever recorded", async () => {
  const recorder = start();
  context.api.refuse = () => statusError("Forbidden", "namespace is being terminated");
  recorder.event(makePod("web"), "Normal", "Killing", "killing");
  await recorder.flush();
  expect(recorded()).toEqual([]);
});
