// Ten thousand connections at once, at L4 and in HTTP mode, through both of the proxy's workers.
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  allProxiesOf,
  type Cluster,
  eventually,
  fetchText,
  startCluster,
  WEB_HTTP_SERVICE,
} from "./harness.ts";
import { openIdle } from "./idle-connections.ts";

const COUNT = 10_000;

// At L4 each of two workers needs two descriptors for every connection it carries, and the client one.
const openFiles = Number(/Max open files +\d+ +(\d+)/.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);
const hasRoom = openFiles > 1.5 * COUNT;
if (!hasRoom)
  console.log(`skipped: ${COUNT} connections need more than the ${openFiles} open files allowed here`);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ folders: ["fixtures/quickstart"] });
  await cluster.apply(WEB_HTTP_SERVICE);
});
afterAll(() => cluster?.stop());

const openIn = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

test.skipIf(!hasRoom).each([
  ["at L4", "web"],
  ["in HTTP mode", "web-http"],
])(`${COUNT} connections are open at once %s, and a new one is served`, async (_, service) => {
  const url = await cluster.url(service);
  await eventually(`${service} answers`, async () => (await fetchText(url)).status === 200);
  const workers = await allProxiesOf(cluster.dataDir);
  const before = workers.map(openIn);
  const idle = await openIdle(url, COUNT);
  expect(idle.opened).toBe(COUNT);
  const share = workers.map((pid, index) => (openIn(pid) - before[index]!) / COUNT);
  for (const each of share) expect(each).toBeGreaterThan(0.05);
  expect((await fetchText(url)).status).toBe(200);
  expect(await idle.close()).toBe(0);
  await eventually("the workers have let go of them", () =>
    workers.every((pid, index) => openIn(pid) < before[index]! + 100),
  );
});
