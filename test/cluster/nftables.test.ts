// `--proxy-mode nftables`: the kernel balances, the proxy keeps its rules, and no table outlives the cluster, however that ends.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { whyNoNftables } from "../../src/supervisor/proxy-mode.ts";
import { type Cluster, clusterAt, eventually, processesOf, run, startCluster } from "./harness.ts";
import { sendOpenLoop } from "./open-loop.ts";

const problem = await whyNoNftables();
if (problem) console.log(`skipped: nftables, which cannot be used here: ${problem}`);

const MANIFEST = (name: string, spec = "") => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: 3
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
        - name: web
          image: nginx:1.27
          ports: [{name: http, containerPort: 80}]
          readinessProbe: {httpGet: {port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec:
  type: NodePort
  selector: {app: ${name}}
  ports: [{name: http, port: 8080, targetPort: http}]
  ${spec}
`;

const get = (url: string) => fetch(url, { headers: { connection: "close" } });
const podOf = async (url: string) => (await get(url)).headers.get("x-pod-name");

/** Kubemu's tables with that slot's number. */
async function tablesOf(slot: number): Promise<string[]> {
  const { stdout } = await run("nft", ["list", "tables"]);
  return [...stdout.matchAll(/kubemu-(\d+)-\d+/g)].flatMap(([name, of]) => (Number(of) === slot ? name : []));
}

/** How many addresses the workers' tables send to pods. */
const rulesOf = async (slot: number) =>
  Promise.all(
    (await tablesOf(slot)).map(async (name) => {
      const { stdout } = await run("nft", ["list", "map", "ip", name, "services"]);
      return [...stdout.matchAll(/127\.[\d.]+ \. \d+ : goto/g)].map(([match]) => match.slice(0, -7));
    }),
  );

describe.skipIf(problem !== undefined)("a cluster whose Services the kernel balances", () => {
  let cluster: Cluster;
  let slot: number;
  let address: string;
  const url = () => `http://${address}:8080/`;
  const clusterIp = (name: string) =>
    cluster.kubectl("get", "service", name, "-o", "jsonpath={.spec.clusterIP}");
  const isInKernel = async (place: string) => {
    const rules = await rulesOf(slot);
    return rules.length === 2 && rules.every((places) => places.includes(place));
  };
  const isInNoKernel = async (place: string) =>
    (await rulesOf(slot)).every((places) => !places.includes(place));

  beforeAll(async () => {
    cluster = await startCluster({ args: ["--proxy-mode", "auto"] });
    slot = JSON.parse(readFileSync(join(cluster.dataDir, "cluster.json"), "utf8")).slot;
    await cluster.apply(MANIFEST("web"));
    await cluster.kubectl("rollout", "status", "deployment/web");
    address = await clusterIp("web");
    await eventually("the kernel knows the Service", () => isInKernel(`${address} . 8080`));
  });
  afterAll(() => cluster?.stop());

  test("says so, and each pod answers in turn at each of its addresses", async () => {
    expect(await cluster.kubemu("status")).toMatch(/^proxy +pids \d+, \d+ \(nftables\)$/m);
    const nodePort = await cluster.kubectl(
      "get",
      "service",
      "web",
      "-o",
      "jsonpath={.spec.ports[0].nodePort}",
    );
    for (const place of [url(), `http://127.0.0.1:${nodePort}/`, `http://127.${slot}.1.1:${nodePort}/`]) {
      const pods = new Set<string | null>();
      for (let index = 0; index < 6; index++) pods.add(await podOf(place));
      expect(pods.size).toBe(3);
    }
  });

  test("loses no request while a Deployment is rolled under traffic", async () => {
    const traffic = sendOpenLoop(url(), { fresh: 200 });
    for (let round = 0; round < 4 || traffic.counts.sent < 400; round++) {
      await cluster.kubectl("set", "env", "deployment/web", `ROUND=${round}`);
      await cluster.kubectl("rollout", "status", "deployment/web");
    }
    expect((await traffic.stop()).failures).toEqual({});
  });

  test("sends a client to the pod that it had with sessionAffinity: ClientIP", async () => {
    await cluster.kubectl("patch", "service", "web", "-p", '{"spec":{"sessionAffinity":"ClientIP"}}');
    await eventually("one pod answers", async () => {
      const pods = new Set<string | null>();
      for (let index = 0; index < 6; index++) pods.add(await podOf(url()));
      return pods.size === 1;
    });
    const pod = await podOf(url());
    await cluster.kubectl("scale", "deployment/web", "--replicas=5");
    await cluster.kubectl("rollout", "status", "deployment/web");
    for (let index = 0; index < 6; index++) expect(await podOf(url())).toBe(pod);
    expect(await isInKernel(`${address} . 8080`)).toBe(true);
    await cluster.kubectl("patch", "service", "web", "-p", '{"spec":{"sessionAffinity":"None"}}');
  });

  test("leaves to the proxy what the kernel cannot do: faults, limits, no endpoints", async () => {
    await cluster.apply(
      "apiVersion: kubemu.dev/v1alpha1\nkind: Fault\nmetadata: {name: slow}\nspec: {service: web, latency: 150ms}",
    );
    await eventually("the proxy has it", () => isInNoKernel(`${address} . 8080`));
    const startedAt = performance.now();
    await (await get(url())).text();
    expect(performance.now() - startedAt).toBeGreaterThan(290);
    await cluster.kubectl("delete", "fault", "slow");
    await eventually("the kernel has it again", () => isInKernel(`${address} . 8080`));

    await cluster.kubectl("annotate", "service", "web", "kubemu.dev/balance=least-connections");
    await eventually("the proxy has it", () => isInNoKernel(`${address} . 8080`));
    expect((await get(url())).status).toBe(200);
    await cluster.kubectl("annotate", "service", "web", "kubemu.dev/balance-");
    await eventually("the kernel has it again", () => isInKernel(`${address} . 8080`));

    await cluster.kubectl("scale", "deployment/web", "--replicas=0");
    await eventually("the proxy has it", () => isInNoKernel(`${address} . 8080`));
    await expect(get(url())).rejects.toThrow("fetch failed");
    await cluster.kubectl("scale", "deployment/web", "--replicas=3");
    await eventually("the kernel has it again", () => isInKernel(`${address} . 8080`));
  });

  test("goes on when a proxy is killed, and when both are", async () => {
    const traffic = sendOpenLoop(url(), { fresh: 100, kept: 100 });
    await eventually("traffic", () => traffic.counts.answered > 100);
    const before = await proxies(cluster);
    process.kill(before[0] as number, "SIGKILL");
    await eventually("it is back", async () => {
      const now = await proxies(cluster);
      return now[0] !== before[0] && (await tablesOf(slot)).length === 2 && isInKernel(`${address} . 8080`);
    });
    const { failures } = await traffic.stop();
    expect(failures).toEqual({});

    const fresh = sendOpenLoop(url(), { fresh: 100 });
    for (const pid of await proxies(cluster)) process.kill(pid, "SIGKILL");
    await eventually("both are back", () => isInKernel(`${address} . 8080`));
    // Whoever was connected through the kernel lost that connection; nobody is refused.
    expect(Object.keys((await fresh.stop()).failures).filter((why) => /REFUSED/.test(why))).toEqual([]);
  });

  test("leaves no table when everything is killed at once, and none after the next start and `down`", async () => {
    for (const pid of processesOf(cluster.dataDir)) process.kill(pid, "SIGKILL");
    await eventually("no table is left", async () => (await tablesOf(slot)).length === 0);
    const again = clusterAt(cluster.name, cluster.dataDir);
    await again.kubemu("up", "--detach", "--no-merge", "--proxy-mode", "nftables");
    const file = JSON.parse(readFileSync(join(cluster.dataDir, "cluster.json"), "utf8"));
    await eventually("its tables are there", async () => (await tablesOf(file.slot)).length === 2);
    await again.kubemu("down");
    expect(await tablesOf(file.slot)).toEqual([]);
  });
});

async function proxies(cluster: Cluster): Promise<number[]> {
  const { proxy } = (await cluster.status()) as unknown as { proxy: { workers: number[] } };
  return proxy.workers;
}

test("nftables is refused in one line where it cannot be used", async () => {
  const { code, stderr } = await startCluster({
    args: ["--proxy-mode", "nftables", "--single-address"],
  }).then(
    async (cluster) => {
      await cluster.stop();
      return { code: 0, stderr: "" };
    },
    (error: Error) => ({ code: 1, stderr: error.message }),
  );
  expect(code).toBe(1);
  expect(stderr).toContain("--proxy-mode nftables cannot be used: every Service shares one address");
});
