// What the service proxy's memory does while Deployments are rolled under traffic without end: the last minute against the first.
// KUBEMU_BENCH_MINUTES says how long (3 without it; the figure in docs/results.md is of an hour).
import { eventually, proxiesOf, startCluster } from "../test/cluster/harness.ts";
import { sendOpenLoop } from "../test/cluster/open-loop.ts";
import { pssMbOf } from "./cluster.ts";
import { type Figure, figure, median, type Scenario } from "./figure.ts";

const MINUTE_MS = 60_000;
const SAMPLE_MS = 1_000;
const RATE = 100;

const app = (name: string, appProtocol: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  replicas: 3
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: web, image: nginx, ports: [{ containerPort: 80 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  type: LoadBalancer
  selector: { app: ${name} }
  ports: [{ port: 80${appProtocol} }]
---
`;

export const churn: Scenario = {
  name: "churn",
  async run(): Promise<Figure[]> {
    const minutes = Number(process.env["KUBEMU_BENCH_MINUTES"] ?? 3);
    const cluster = await startCluster();
    try {
      const names = ["plain", "http"];
      await cluster.apply(app("plain", "") + app("http", ", appProtocol: http"));
      const urls = await Promise.all(names.map((name) => cluster.url(name)));
      for (const url of urls) await eventually(`${url} answers`, async () => (await fetch(url)).ok);
      // At L4 a kept-alive connection ends with its pod; only in HTTP mode is it the proxy's to keep.
      const traffic = [
        sendOpenLoop(urls[0]!, { fresh: RATE }),
        sendOpenLoop(urls[1]!, { fresh: RATE, kept: RATE }),
      ];
      const began = performance.now();
      const past = () => performance.now() - began;
      let rollouts = 0;
      const rolling = (async () => {
        while (past() < minutes * MINUTE_MS) {
          for (const name of names) {
            await cluster.kubectl("set", "env", `deployment/${name}`, `ROUND=${rollouts}`);
            await cluster.kubectl("rollout", "status", `deployment/${name}`);
          }
          rollouts++;
        }
      })();
      const samples: { atMs: number; mb: number }[] = [];
      rolling.catch(() => {});
      while (past() < minutes * MINUTE_MS) {
        const mb = pssMbOf(proxiesOf(cluster.dataDir));
        samples.push({ atMs: past(), mb });
        await new Promise((next) => setTimeout(next, SAMPLE_MS));
      }
      await rolling;
      const counts = await Promise.all(traffic.map((each) => each.stop()));
      const sent = counts.reduce((sum, each) => sum + each.sent, 0);
      const failures = counts.map((each) => each.failures);
      const within = (from: number, to: number) =>
        median(samples.filter(({ atMs }) => atMs >= from && atMs < to).map(({ mb }) => mb));
      const byMinute = Array.from({ length: minutes }, (_, n) => within(n * MINUTE_MS, (n + 1) * MINUTE_MS));
      const failed = failures.flatMap((each) => Object.values(each)).reduce((sum, each) => sum + each, 0);
      return [
        figure(
          `memory of the proxy after ${minutes} min of churn ÷ its first minute`,
          byMinute.at(-1)!,
          "MB PSS",
          {
            floor: byMinute[0]!,
            most: 1.05,
            note: `${rollouts * 2} rollouts; by minute: ${byMinute.map(Math.round).join(" ")}`,
          },
        ),
        figure(`failed of ${sent} requests meanwhile, L4 and HTTP mode`, failed, "requests", {
          most: 0,
          note: JSON.stringify(failures),
        }),
      ];
    } finally {
      await cluster.stop();
    }
  },
};
