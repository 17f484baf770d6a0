// The autoscaler against the real API server, where no node can be measured: what it does without metrics.
import { afterEach, beforeEach, expect, test } from "vitest";
import type {
  AutoscalingV1HorizontalPodAutoscaler,
  Deployment,
  Event,
  HorizontalPodAutoscaler,
} from "../../src/api/generated/types.ts";
import { autoscalerV1Form } from "../../src/api/kinds/autoscaler/v1.ts";
import { deployments } from "../../src/api/kinds/deployment.ts";
import { events } from "../../src/api/kinds/event.ts";
import { horizontalPodAutoscalers } from "../../src/api/kinds/horizontal-pod-autoscaler.ts";
import type { Resource } from "../../src/api/resource.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { timingOf } from "../../src/base/timing.ts";
import { createInformers } from "../../src/client/informers.ts";
import { startHorizontalPodAutoscaler } from "../../src/controllers/horizontal-pod-autoscaler/controller.ts";
import { startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
let stop: () => Promise<void>;
beforeEach(async () => {
  server = await startTestServer();
  const { client, registry } = server;
  const informers = createInformers(client, { log: silentLog, clock: systemClock });
  const addresses = { slot: 16, singleAddress: false, lowestPort: 1024 };
  const context = {
    client,
    informers,
    log: silentLog,
    clock: systemClock,
    timing: timingOf("fast"),
    addresses,
  };
  const controller = startHorizontalPodAutoscaler(context, { storedAs: registry.storedAs });
  stop = async () => {
    await controller.stop();
    await informers.stop();
  };
});
afterEach(async () => {
  await stop();
  await server.stop();
});

const at = { namespace: "default", name: "web" };
const v1 = autoscalerV1Form.resource as Resource<AutoscalingV1HorizontalPodAutoscaler>;
const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };

async function deploy(replicas: number): Promise<void> {
  const labels = { app: "web" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "nginx" }] } };
  await server.client.create(deployments, {
    metadata: at,
    spec: { replicas, selector: { matchLabels: labels }, template },
  });
}
const replicas = async () => (await server.client.get<Deployment>(deployments, at)).spec.replicas;
const condition = async (type: string) =>
  (await server.client.get<HorizontalPodAutoscaler>(horizontalPodAutoscalers, at)).status?.conditions?.find(
    (each) => each.type === type,
  );
const reasons = async () =>
  (await server.client.list<Event>(events, { namespace: "default" })).items.map(({ reason }) => reason);

test("what kubectl autoscale sends keeps a Deployment within its bounds, and needs no metrics for it", async () => {
  await deploy(1);
  const made = await server.client.create(v1, {
    metadata: at,
    spec: { scaleTargetRef, minReplicas: 3, maxReplicas: 5, targetCPUUtilizationPercentage: 50 },
  });
  expect(made.spec.targetCPUUtilizationPercentage).toBe(50);
  await expect.poll(replicas, { timeout: 20_000 }).toBe(3);
  await expect.poll(reasons, { timeout: 20_000 }).toContain("SuccessfulRescale");
  await server.client.patch(horizontalPodAutoscalers, at, "merge", {
    spec: { minReplicas: 1, maxReplicas: 2 },
  });
  await expect.poll(replicas, { timeout: 20_000 }).toBe(2);
  const stored = await server.client.get(horizontalPodAutoscalers, at);
  expect(stored.spec.metrics).toEqual([
    { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
  ]);
  expect(server.errors).toEqual([]);
});

test("without measurements it changes nothing and says why; a target of size 0 is left alone", async () => {
  await deploy(2);
  await server.client.create(horizontalPodAutoscalers, {
    metadata: at,
    spec: { scaleTargetRef, maxReplicas: 5 },
  });
  const reason = async () => (await condition("ScalingActive"))?.reason;
  await expect.poll(reason, { timeout: 20_000 }).toBe("FailedGetResourceMetric");
  expect(await replicas()).toBe(2);
  expect((await condition("AbleToScale"))?.reason).toBe("SucceededGetScale");
  await server.client.patch(deployments, at, "merge", { spec: { replicas: 0 } });
  await expect.poll(reason, { timeout: 20_000 }).toBe("ScalingDisabled");
  expect(await replicas()).toBe(0);
});

test("a target that is not there, or of a kind that nobody serves, is said", async () => {
  await server.client.create(horizontalPodAutoscalers, {
    metadata: at,
    spec: { scaleTargetRef: { ...scaleTargetRef, kind: "Rocket" }, maxReplicas: 5 },
  });
  const message = async () => (await condition("AbleToScale"))?.message;
  const unable = "the HPA controller was unable to get the target's current scale: ";
  await expect
    .poll(message, { timeout: 20_000 })
    .toBe(`${unable}no matches for kind "Rocket" in group "apps"`);
  await server.client.patch(horizontalPodAutoscalers, at, "merge", { spec: { scaleTargetRef } });
  await expect.poll(message, { timeout: 20_000 }).toBe(`${unable}deployments/scale.apps "web" not found`);
});
