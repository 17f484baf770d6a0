// What kubectl asks of the API server, at the server: server-side apply of a large Deployment, each time with another value, and the Table
// that `kubectl get pods` prints of a thousand pods (over HTTPS, its client in the same process).
import { deployments } from "../src/api/kinds/deployment.ts";
import { pods } from "../src/api/kinds/pod.ts";
import { pathOf } from "../src/api/resource.ts";
import { startTestServer, type TestServer } from "../test/server/harness.ts";
import { type Figure, figure, median, type Scenario } from "./figure.ts";

const PODS = 1000;
const FIELDS = 100;
const ROUNDS = 5;
// A server that has just been started runs what is not compiled yet.
const WARM_UP_ROUNDS = 2;
const APPLIES = 500;
const TABLES = 15;
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";
const at = { namespace: "default", name: "large" };

/** A Deployment of FIELDS values; the last of them is `value`. */
function large(value: string): object {
  const fixed = [at.name, at.namespace, "replicas", "app", "app", "container", "image"].length;
  const count = Math.floor((FIELDS - fixed) / 2);
  const env = Array.from({ length: count }, (_, n) => ({ name: `NAME_${n}`, value: `${n}` }));
  env[count - 1] = { name: "LAST", value };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: at,
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "large" } },
      template: {
        metadata: { labels: { app: "large" } },
        spec: { containers: [{ name: "main", image: "nginx:1.27", env }] },
      },
    },
  };
}

interface Rate {
  readonly perSecond: number;
  /** What the rate would be with a core to itself: client and server are one process here. */
  readonly perCpuSecond: number;
}

async function applyRate({ transport }: TestServer, round: number): Promise<Rate> {
  const began = performance.now();
  const spent = process.cpuUsage();
  for (let n = 0; n < APPLIES; n++) {
    const { status } = await transport.request({
      method: "PATCH",
      path: pathOf(deployments, at),
      query: { fieldManager: "bench", force: "true" },
      body: large(`${round}-${n}`),
      contentType: "application/apply-patch+yaml",
    });
    if (status >= 300) throw new Error(`apply answered ${status}`);
  }
  const { user, system } = process.cpuUsage(spent);
  return {
    perSecond: APPLIES / ((performance.now() - began) / 1000),
    perCpuSecond: APPLIES / ((user + system) / 1e6),
  };
}

async function tableMs(server: TestServer): Promise<number> {
  const began = performance.now();
  const answer = await server.https("GET", pathOf(pods, { namespace: "default" }), {
    headers: { accept: TABLE },
  });
  const span = performance.now() - began;
  const { rows } = answer.json() as { rows: unknown[] };
  if (rows.length !== PODS) throw new Error(`a table of ${rows.length} rows`);
  return span;
}

export const surface: Scenario = {
  name: "surface",
  async run(): Promise<Figure[]> {
    const server = await startTestServer();
    try {
      const rates: Rate[] = [];
      for (let round = 0; round < WARM_UP_ROUNDS; round++) await applyRate(server, -round);
      for (let round = 0; round < ROUNDS; round++) rates.push(await applyRate(server, round + 1));
      for (let n = 0; n < PODS; n++)
        await server.client.create(pods, {
          metadata: { namespace: "default", name: `pod-${n}`, labels: { app: "bench" } },
          spec: { containers: [{ name: "main", image: "nginx:1.27" }] },
        });
      const spans: number[] = [];
      for (let n = 0; n < TABLES; n++) spans.push(await tableMs(server));
      return [
        figure(
          `server-side applies of ${FIELDS} fields`,
          median(rates.map(({ perSecond }) => perSecond)),
          "1/s",
          {
            least: 1000,
            note: `${Math.round(median(rates.map(({ perCpuSecond }) => perCpuSecond)))} a second of processor time`,
          },
        ),
        figure(`Table of ${PODS} pods`, median(spans), "ms", {
          most: 50,
          note: "over HTTPS, with the object's metadata",
        }),
        figure(`Table of ${PODS} pods, the first`, spans[0] ?? Number.NaN, "ms"),
      ];
    } finally {
      await server.stop();
    }
  },
};
