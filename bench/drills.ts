// Zero downtime in figures: the drills of docs/drills.md, as often as KUBEMU_BENCH_COUNTS says
// (`requests=1000000,drains=50,pods=200,nodes=50,containers=200,programs=50,rate=150`; short without it).
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pod } from "../src/api/generated/types.ts";
import { pods } from "../src/api/kinds/pod.ts";
import type { DrillReport, StreamReport } from "../src/drill/report/report.ts";
import { type Cluster, KUBEMU, startCluster } from "../test/cluster/harness.ts";
import { bareTakeoverMs } from "./bare-takeover.ts";
import { isReady, killAndAwaitAnswer, whenPods } from "./cluster.ts";
import { type Figure, figure, nodeStartMs, percentile, type Scenario } from "./figure.ts";

const SHORT = { requests: 3_000, drains: 2, pods: 5, nodes: 2, containers: 6, programs: 2, rate: 100 };
type Counts = typeof SHORT;

function countsOf(text: string): Counts {
  const given = Object.fromEntries(
    text
      .split(",")
      .filter(Boolean)
      .map((each) => [each.split("=")[0]?.trim() ?? "", Number(each.split("=")[1])]),
  );
  for (const [name, value] of Object.entries(given))
    if (!Object.hasOwn(SHORT, name) || !(value > 0))
      throw new Error(`KUBEMU_BENCH_COUNTS: ${name}=${value}; counts of ${Object.keys(SHORT).join(", ")}`);
  return { ...SHORT, ...given };
}

const MOST_BARE_KILLS = 50;
// A program that dies sooner after its start is started again more slowly.
const PROGRAM_REST = "5500ms";

const repeat = (times: number, ...steps: string[]) =>
  `    - {at: 500ms, repeat: {times: ${times}, steps: [${steps.join(", ")}]}}`;

interface Streams {
  readonly fresh: StreamReport;
  readonly http: StreamReport;
  readonly httpFresh: StreamReport;
}

/** Runs drills on one cluster; a drill whose steps could not be done is an error, a failed request a figure. */
function drillRunner(cluster: Cluster, rate: number) {
  const folder = mkdtempSync(join(tmpdir(), "kubemu-bench-drills-"));
  const web = join(import.meta.dirname, "..", "drills", "web");
  const run = async (name: string, steps: string, { settle = "120s", atL4Only = false } = {}) => {
    const [file, json] = [join(folder, `${name}.yaml`), join(folder, `${name}.json`)];
    const stream = (perSecond: number, ...fields: string[]) =>
      `    - {${fields.join(", ")}, rate: ${perSecond}}\n`;
    writeFileSync(
      file,
      `apiVersion: kubemu.dev/v1alpha1\nkind: Drill\nmetadata: {name: ${name}}\nspec:\n  settle: ${settle}\n` +
        `  setup: {manifests: [{file: ${web}}]}\n  traffic:\n` +
        stream(rate, "name: fresh", "service: web") +
        (atL4Only
          ? ""
          : stream(rate, "name: http", "service: web-http", "connections: kept") +
            stream(rate, "name: httpFresh", "service: web-http")) +
        `  steps:\n${steps}\n`,
    );
    const args = [KUBEMU, "drill", "run", file, "--json", json, "--data-dir", cluster.dataDir];
    const said = await new Promise<string>((done) =>
      execFile(process.execPath, args, (_, stdout, stderr) => done(stdout + stderr)),
    );
    const report = JSON.parse(readFileSync(json, "utf8")) as DrillReport;
    if (report.problem) throw new Error(said);
    return report;
  };
  return { run, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

const streamsOf = ({ streams }: DrillReport): Streams => {
  const [fresh, http, httpFresh] = streams as [StreamReport, StreamReport, StreamReport];
  return { fresh, http, httpFresh };
};
type Run = ReturnType<typeof drillRunner>["run"];

const add = (streams: readonly StreamReport[], of: "failed" | "sent" | "refused") =>
  streams.reduce((all, each) => all + each[of], 0);
const causes = (streams: readonly StreamReport[]) => {
  const all: Record<string, number> = {};
  for (const each of streams)
    for (const [cause, count] of Object.entries(each.causes)) all[cause] = (all[cause] ?? 0) + count;
  return Object.entries(all)
    .map(([cause, count]) => `, ${count} × ${cause}`)
    .join("");
};
const failedOf = (name: string, streams: readonly StreamReport[]): Figure =>
  figure(name, add(streams, "failed"), "failed", {
    most: 0,
    note: `of ${add(streams, "sent").toLocaleString("en-US")}${causes(streams)}`,
  });

/** Reports of as many drills, of some rollouts each, as it takes to send that many requests. */
async function rollouts(run: Run, requests: number, options: { atL4Only?: boolean } = {}) {
  // Nothing is sent between two drills; and rollouts without a rest leave a small machine nothing to send a million with.
  const [times, after] = requests > SHORT.requests ? [50, "2s"] : [5, "0s"];
  const steps = repeat(
    times,
    `{after: ${after}, rolloutRestart: {target: deployment/web}}`,
    "{wait: {rolledOut: deployment/web}}",
  );
  const reports: DrillReport[] = [];
  while (
    add(
      reports.flatMap(({ streams }) => streams),
      "sent",
    ) < requests
  )
    reports.push(await run("rolling", steps, options));
  return reports;
}

async function rolling(run: Run, { requests }: Counts): Promise<Figure[]> {
  const reports = (await rollouts(run, requests)).map(streamsOf);
  return [
    failedOf(
      "rolling updates, HTTP mode, new and kept-alive connections",
      reports.flatMap(({ http, httpFresh }) => [http, httpFresh]),
    ),
    failedOf(
      "rolling updates, L4, new connections",
      reports.map(({ fresh }) => fresh),
    ),
  ];
}

async function rollingAtL4(run: Run, { requests }: Counts): Promise<Figure[]> {
  const reports = await rollouts(run, requests, { atL4Only: true });
  return [
    failedOf(
      "rolling updates, L4 alone, new connections",
      reports.flatMap(({ streams }) => streams),
    ),
  ];
}

async function drains(run: Run, { drains: times }: Counts): Promise<Figure[]> {
  const { fresh, http, httpFresh } = streamsOf(
    await run(
      "drains",
      repeat(
        times,
        "{drain: {node: serving}}",
        "{wait: {recovered: true}}",
        "{uncordon: {node: last}}",
        "{scale: {target: deployment/web, replicas: 8}}",
        "{wait: {recovered: true}}",
        "{scale: {target: deployment/web, replicas: 3}}",
        "{wait: {recovered: true}}",
      ),
    ),
  );
  return [failedOf(`${times} × drain and scale-down`, [fresh, http, httpFresh])];
}

async function podKills(run: Run, { pods: times }: Counts): Promise<Figure[]> {
  const kill = repeat(times, "{after: 100ms, kill: {pod: any}}", "{wait: {recovered: true}}");
  const { fresh, http, httpFresh } = streamsOf(await run("pod-kills", kill));
  return [
    figure(
      `${times} × SIGKILL of a serving pod: new connections refused`,
      add([fresh, httpFresh], "refused"),
      "refused",
      {
        most: 0,
      },
    ),
    failedOf(`${times} × SIGKILL of a serving pod: L4, new connections, in flight`, [fresh]),
    failedOf(`${times} × SIGKILL of a serving pod: idempotent requests in HTTP mode`, [http, httpFresh]),
  ];
}

const fullReplicas = ({ steps }: DrillReport) =>
  steps.flatMap(({ victims, recovery }) =>
    victims > 0 ? (recovery?.fullReplicas ?? Number.POSITIVE_INFINITY) : [],
  );

async function nodeKills(run: Run, { nodes: times }: Counts): Promise<Figure[]> {
  const report = await run(
    "node-kills",
    repeat(
      times,
      "{kill: {node: serving}}",
      "{wait: {recovered: true}}",
      "{start: {node: last}}",
      "{wait: {nodeReady: last}}",
    ),
  );
  const { fresh, http, httpFresh } = streamsOf(report);
  const full = fullReplicas(report);
  return [
    figure(`${times} × node killed: new connections refused`, add([fresh, httpFresh], "refused"), "refused", {
      most: 0,
    }),
    failedOf(`${times} × node killed: L4, new connections`, [fresh]),
    failedOf(`${times} × node killed: HTTP mode`, [http, httpFresh]),
    figure(`${times} × node killed: full replicas, p50`, percentile(full, 0.5), "ms", { most: 500 }),
    figure(`${times} × node killed: full replicas, p99`, percentile(full, 0.99), "ms", { most: 1_500 }),
  ];
}

/** From when a watch tells that an endpoint is gone until no proxy sends it a new connection: the last request that it answered. */
async function switches(run: Run, { pods: times }: Counts): Promise<Figure[]> {
  const report = await run(
    "switches",
    repeat(times, "{after: 200ms, delete: {pod: any}}", "{wait: {recovered: true}}"),
  );
  const lags = report.timeline.flatMap(({ what, text, at }) => {
    const pod = what === "endpoint" ? /^web sends nothing to (\S+) any more$/.exec(text)?.[1] : undefined;
    const last = pod ? streamsOf(report).fresh.pods[pod]?.lastSentAt : undefined;
    return last === undefined ? [] : [Math.max(last - at, 0)];
  });
  const note = `${lags.length} pods deleted; the watch's own delay is taken off, a request every ${Math.round(1_000 / streamsOf(report).fresh.rateAsked)} ms`;
  return [
    figure("endpoint change → every proxy switched, p99", percentile(lags, 0.99), "ms", { most: 20, note }),
  ];
}

async function programKills(run: Run, { programs: times }: Counts): Promise<Figure[]> {
  const kill = (program: string) =>
    repeat(times, `{after: ${PROGRAM_REST}, kill: {program: ${program}}}`, "{wait: {recovered: true}}");
  const plane = await run("control-plane-kills", kill("control-plane"));
  const proxy = await run("proxy-kills", kill("proxy"));
  return [
    failedOf(`${times} × control plane killed`, plane.streams),
    figure(`${times} × proxy process killed: refused`, add(proxy.streams, "refused"), "refused", {
      most: 0,
      note: `of ${add(proxy.streams, "sent").toLocaleString("en-US")}; cut off in flight: ${add(proxy.streams, "failed")}${causes(proxy.streams)}`,
    }),
  ];
}

/** Each pod is killed once, so that back-off plays no part, and with a rest, so that the warm pool is full. */
async function containerKills(cluster: Cluster, { containers: times }: Counts): Promise<Figure[]> {
  const client = cluster.client();
  const tookMs: number[] = [];
  const selector = "app=kills";
  while (tookMs.length < times) {
    await cluster.kubectl("create", "deployment", "kills", "--image=nginx", "--replicas=6", "--port=80");
    await whenPods(client, selector, (list) => list.filter(isReady).length === 6);
    const { items } = await client.list(pods, { namespace: "default", labelSelector: selector });
    for (const pod of items.slice(0, times - tookMs.length) as Pod[]) {
      await new Promise((next) => setTimeout(next, 1_500));
      tookMs.push(await killAndAwaitAnswer(pod));
    }
    await cluster.kubectl("delete", "deployment", "kills");
    await whenPods(client, selector, (list) => list.length === 0);
  }
  client.transport.close();
  const bare = await bareTakeoverMs(Math.min(times, MOST_BARE_KILLS));
  const start = Math.round(await nodeStartMs());
  const took = (share: number, name: string, most: number) =>
    figure(`${times} × container killed, answering again, ${name}`, percentile(tookMs, share), "ms", {
      most,
      note: `two bare processes, the second waiting: ${percentile(bare, share).toFixed(1)} ms; node -e 0: ${start} ms`,
    });
  return [took(0.5, "p50", 30), took(0.99, "p99", 100)];
}

type Part = (cluster: Cluster, run: Run, counts: Counts) => Promise<Figure[]>;

/** A part of the drills as a scenario of its own: hours need not be repeated for the sake of minutes. */
const scenario = (name: string, part: Part): Scenario => ({
  name,
  async run() {
    const counts = countsOf(process.env["KUBEMU_BENCH_COUNTS"] ?? "");
    const cluster = await startCluster();
    const { run, remove } = drillRunner(cluster, counts.rate);
    try {
      return await part(cluster, run, counts);
    } finally {
      remove();
      await cluster.stop();
    }
  },
});
const drill = (name: string, measure: (run: Run, counts: Counts) => Promise<Figure[]>) =>
  scenario(name, (_, run, counts) => measure(run, counts));

/** All of them: `npm run bench drills`. */
export const drills: readonly Scenario[] = [
  drill("rolling", rolling),
  drill("rolling-l4", rollingAtL4),
  drill("drains", drains),
  drill("pod-kills", podKills),
  drill("node-kills", nodeKills),
  drill("switches", switches),
  drill("program-kills", programKills),
  scenario("container-kills", (cluster, _, counts) => containerKills(cluster, counts)),
];
