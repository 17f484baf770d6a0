// 300 real pods on 5 nodes against 300 bare Node HTTP servers started side by side.
import { spawn } from "node:child_process";
import { deployments } from "../src/api/kinds/deployment.ts";
import { startCluster } from "../test/cluster/harness.ts";
import { isReady, processesByRole, pssMb, pssMbOf, whenPods } from "./cluster.ts";
import { type Figure, figure, type Scenario, WITHOUT_ROOTS } from "./figure.ts";

const PODS = 300;
const SERVER = "require('http').createServer((q,s)=>s.end('ok')).listen(0,'127.0.0.1',()=>process.send(1))";

async function bareServersMs(
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ tookMs: number; pssMb: number }> {
  const began = performance.now();
  const children = Array.from({ length: PODS }, () =>
    spawn(process.execPath, ["-e", SERVER], { stdio: ["ignore", "ignore", "ignore", "ipc"], env }),
  );
  await Promise.all(children.map((child) => new Promise((ready) => child.once("message", ready))));
  const tookMs = performance.now() - began;
  const used = pssMbOf(children.map(({ pid }) => pid!)) / PODS;
  const exited = children.map((child) => new Promise((gone) => child.once("exit", gone)));
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(exited);
  return { tookMs, pssMb: used };
}

export const crowd: Scenario = {
  name: "crowd",
  async run(): Promise<Figure[]> {
    const bare = await bareServersMs();
    const plain = WITHOUT_ROOTS && { ...WITHOUT_ROOTS, ...(await bareServersMs(WITHOUT_ROOTS.env)) };
    const cluster = await startCluster({ nodes: 5 });
    try {
      const client = cluster.client();
      const ready = whenPods(client, "app=crowd", (list) => list.filter(isReady).length === PODS);
      const began = performance.now();
      await client.create(deployments, {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "crowd", namespace: "default" },
        spec: {
          replicas: PODS,
          selector: { matchLabels: { app: "crowd" } },
          template: {
            metadata: { labels: { app: "crowd" } },
            spec: { containers: [{ name: "nginx", image: "nginx", ports: [{ containerPort: 80 }] }] },
          },
        },
      });
      const tookMs = (await ready) - began;
      const { containers } = processesByRole(cluster.dataDir);
      const each =
        containers
          .map(pssMb)
          .sort((a, b) => b - a)
          .slice(0, PODS)
          .reduce((sum, value) => sum + value, 0) / PODS;
      client.transport.close();
      return [
        figure(`${PODS} pods on 5 nodes, all Ready`, tookMs, "ms", { floor: bare.tookMs, most: 1.3 }),
        ...(plain
          ? [
              figure(`the same against servers ${plain.words}`, tookMs, "ms", {
                floor: plain.tookMs,
                most: 1.3,
              }),
            ]
          : []),
        figure("memory of a pod", each, "MB PSS", {
          most: 14,
          note: `a bare server: ${Math.round(bare.pssMb * 10) / 10}`,
        }),
      ];
    } finally {
      await cluster.stop();
    }
  },
};
