// Built-in drills against a real cluster, what they write, and what they refuse. Figures are not judged here, but for what must hold on any machine.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DrillReport } from "../../src/drill/report/report.ts";
import { type Cluster, eventually, KUBEMU, processesOf, run, startCluster } from "./harness.ts";

let cluster: Cluster;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubemu-drills-"));
  cluster = await startCluster();
});
afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const WEB = join(import.meta.dirname, "../../drills/web");
/** A drill's file in the scratch folder. */
function drillFile(name: string, spec: string): string {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(
    file,
    `apiVersion: kubemu.dev/v1alpha1\nkind: Drill\nmetadata: {name: ${name}}\nspec:\n${spec.replaceAll("WEB", WEB)}`,
  );
  return file;
}

async function runDrill(what: string, ...more: string[]) {
  const json = join(folder, "report.json");
  rmSync(json, { force: true });
  const finished = await cluster.tryKubemu("drill", "run", what, "--json", json, ...more);
  const report = existsSync(json) ? (JSON.parse(readFileSync(json, "utf8")) as DrillReport) : undefined;
  return { ...finished, report, said: `${finished.stdout}${finished.stderr}` };
}

const namespaces = () => cluster.kubectl("get", "namespaces", "-o", "name");

describe("kubemu drill list, show, schema", () => {
  test("list the built-in drills, print one, and print the schema of a file", async () => {
    const list = await cluster.kubemu("drill", "list");
    for (const name of [
      ...[
        "pod-kill",
        "container-crash",
        "node-kill",
        "node-hang",
        "node-partition",
        "drain",
        "rolling-update",
      ],
      ...["bad-rollout-and-undo", "scale-up-down", "control-plane-crash", "proxy-crash", "everything"],
    ])
      expect(list).toMatch(new RegExp(`^${name} {3,}\\S`, "m"));
    expect(await cluster.kubemu("drill", "show", "drain")).toContain("- {drain: {node: serving}}");
    expect(JSON.parse(await cluster.kubemu("drill", "schema"))).toMatchObject({ title: "kubemu Drill" });
  });
});

describe("built-in drills", () => {
  test("pod-kill replaces what it kills, writes every kind of report, and leaves nothing behind", async () => {
    const [html, junit] = [join(folder, "report.html"), join(folder, "report.xml")];
    const { code, said, report } = await runDrill("pod-kill", "--html", html, "--junit", junit);
    expect(said).toContain("passed");
    expect(code).toBe(0);
    expect(report?.steps.map(({ victims }) => victims)).toEqual([1, 1, 1, 1, 1]);
    for (const { recovery } of report?.steps ?? []) expect(recovery?.fullReplicas).toBeGreaterThan(0);
    expect(report?.total?.served).toBeGreaterThan(100);
    expect(new Set(report?.timeline.map(({ what }) => what))).toEqual(new Set(["step", "pod", "endpoint"]));
    expect(readFileSync(html, "utf8")).toContain("<svg");
    expect(readFileSync(junit, "utf8")).toContain('failures="0"');
    expect(await namespaces()).not.toContain("drill-pod-kill");
  });

  test("rolling-update loses no request over a new connection", async () => {
    const { code, said, report } = await runDrill("rolling-update");
    expect(report?.streams.find(({ name }) => name === "new")?.failed, said).toBe(0);
    expect(code, said).toBe(0);
    for (const { recovery } of report?.steps ?? []) expect(recovery?.rolledOut).toBeGreaterThan(0);
  });

  test("node-kill starts the node again", async () => {
    const { code, said } = await runDrill("node-kill");
    expect(code, said).toBe(0);
    expect((await cluster.status()).nodes.map(({ state }) => state)).toEqual(Array(3).fill("running"));
  });

  test("control-plane-crash fails no request", async () => {
    const { code, said, report } = await runDrill("control-plane-crash");
    expect(code, said).toBe(0);
    for (const { recovery } of report?.steps ?? []) expect(recovery?.back).toBeGreaterThan(0);
  });
});

describe("a drill of one's own", () => {
  test("does what every kind of step says, and the same faults again for the same seed", async () => {
    const file = drillFile(
      "steps",
      `
  setup: {manifests: [{file: WEB}]}
  traffic: [{service: web, port: http, rate: 20, method: POST, body: hello}]
  steps:
    - {when: {sent: 5}, apply: {manifests: [{apiVersion: v1, kind: ConfigMap, metadata: {name: made}}]}}
    - {patch: {target: configmap/made, patch: {data: {a: b}}}}
    - {scale: {target: deployment/web, replicas: 3}}
    - {wait: {ready: {workload: deployment/web, replicas: 3}}}
    - {setImage: {target: deployment/web, image: "nginx:1.26"}}
    - {wait: {rolledOut: deployment/web}}
    - {rolloutUndo: {target: deployment/web}}
    - {wait: {rolledOut: deployment/web}}
    - {delete: {pod: deployment/web, count: 2, gracePeriod: 1s}}
    - {wait: {recovered: true}}
    - {degrade: {service: web, latency: 20ms, jitter: 5ms, loss: 0.1}}
    - {degrade: {pod: any, cut: true}}
    - {delayEndpoints: {lag: 50ms, service: web}}
    - {restore: }
    - {name: nap, pause: {node: any}}
    - {resume: {node: last}}
    - {partition: {node: any}}
    - {heal: {node: last}}
    - {cordon: {node: any}}
    - {uncordon: {node: last}}
    - {stop: {node: any}}
    - {start: {node: last}}
    - {wait: {nodeReady: last}}
`,
    );
    const first = await runDrill(file);
    expect(first.code, first.said).toBe(0);
    expect(first.said).toContain("nap: paused node-");
    const second = await runDrill(file);
    const nodesOf = (report: DrillReport | undefined) =>
      report?.steps.map(({ text }) => text).filter((text) => text.includes("node-"));
    expect(nodesOf(second.report)).toEqual(nodesOf(first.report));
    expect(nodesOf(first.report)).toHaveLength(8);
    expect(first.report?.steps.map(({ text }) => text)).toContain("restored 3 links");
    expect(await cluster.kubectl("get", "faults", "-o", "name")).toBe("");
  });

  test("fails with exit code 1 and says which expectation was not met", async () => {
    const file = drillFile(
      "strict",
      `
  duration: 1s
  setup: {manifests: [{file: WEB}]}
  traffic: [{service: web, rate: 50, path: /status/503, expect: {failed: 0}}, {name: none, service: web, rate: 1}]
`,
    );
    const { code, report, said } = await runDrill(file);
    expect([code, report?.passed]).toEqual([1, false]);
    expect(said).toMatch(/traffic web: failed +≤ 0 +\d+ +FAILED/);
  });

  test("says what rate it could send where the machine cannot send as asked", async () => {
    const file = drillFile(
      "fast",
      "  duration: 1s\n  setup: {manifests: [{file: WEB}]}\n  traffic: [{service: web, rate: 90000}]\n  expect: {rate: 99}\n",
    );
    const { code, said, report } = await runDrill(file);
    expect(code).toBe(1);
    expect(said).toContain("web: this machine could not send 90000 requests a second; it sent ");
    expect(report?.total?.rateSent).toBeLessThan(90_000);
  });
});

describe("bad input", () => {
  const refused = async (name: string, spec: string) => (await runDrill(drillFile(name, spec))).said;

  test("an unknown step is refused with what is allowed, before anything is done", async () => {
    const said = await refused("unknown", "  steps:\n    - explode: {node: any}\n");
    expect(said).toContain("unknown.yaml:6: spec.steps[0].explode: unknown field; allowed: name, at, after");
    expect(await namespaces()).not.toContain("drill-unknown");
  });

  test("a Service that does not exist is refused, and what was made is removed", async () => {
    const said = await refused(
      "nowhere",
      "  setup: {manifests: [{file: WEB}]}\n  traffic: [{service: shop, rate: 1}]\n",
    );
    expect(said).toContain(
      'spec.traffic[0].service: there is no Service "shop" in the namespace drill-nowhere; there is web',
    );
    expect(await namespaces()).not.toContain("drill-nowhere");
  });

  test.each([
    ["there is no file nothing, and no drill of that name", ["run", "nothing"]],
    ["give a drill's FILE, or the NAME of one of: bad-rollout-and-undo", ["run"]],
    ['unknown action "walk"; allowed: run, list, show, schema', ["walk"]],
    ["--seed takes a whole number", ["run", "drain", "--seed", "x"]],
  ])("%s", async (message, args) => {
    const { code, stderr } = await cluster.tryKubemu("drill", ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test("a manifest that is not there is said", async () => {
    expect(await refused("lost", "  setup: {manifests: [{file: nothing.yaml}]}\n")).toContain(
      "does not exist",
    );
  });
});

describe("a drill that is interrupted", () => {
  const LONG = `
  setup: {manifests: [{file: WEB}]}
  traffic: [{service: web, rate: 50}]
  steps:
    - {pause: {node: node-1}}
    - {partition: {node: node-2}}
    - {cordon: {node: node-3}}
    - {after: 1h, kill: {node: any}}
`;
  const states = async () => (await cluster.status()).nodes.map(({ state }) => state);
  let child: ChildProcess | undefined;
  afterAll(() => void child?.kill("SIGKILL"));

  test("heals what it broke and writes the report of what ran; another one meanwhile is refused", async () => {
    const json = join(folder, "interrupted.json");
    const args = [
      KUBEMU,
      "drill",
      "run",
      drillFile("long", LONG),
      "--json",
      json,
      "--data-dir",
      cluster.dataDir,
    ];
    child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stdout?.on("data", (chunk) => {
      said += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      said += chunk;
    });
    const ended = new Promise<number | null>((resolve) => child?.on("exit", resolve));
    await eventually(
      "it has broken two nodes",
      async () =>
        (await states()).join() === "paused,partitioned,running" &&
        (await cluster.kubectl("get", "node", "node-3")).includes("SchedulingDisabled"),
    );
    const second = await runDrill("drain");
    expect(second.code).toBe(1);
    expect(second.said).toMatch(/the drill long runs on this cluster \(pid \d+\); one at a time/);

    child.kill("SIGINT");
    expect(await ended, said).toBe(130);
    expect(said).toContain("interrupted: this is the report of what ran");
    const report = JSON.parse(readFileSync(json, "utf8")) as DrillReport;
    expect(report.interrupted).toBe(true);
    expect(report.healed).toEqual(["uncordoned node-3", "healed node-2", "resumed node-1"]);
    expect(report.steps.map(({ text }) => text)).toEqual([
      "paused node-1",
      "partitioned node-2",
      "cordoned node-3",
    ]);
    expect(await states()).toEqual(["running", "running", "running"]);
    expect(await cluster.kubectl("get", "nodes")).not.toContain("SchedulingDisabled");
    expect(await namespaces()).not.toContain("drill-long");
  });
});

describe("the page", () => {
  const hasChromium = spawnSync("sh", ["-c", "command -v chromium"]).status === 0;
  if (!hasChromium) console.log("skipped: the page in a browser, as there is no chromium on the PATH");

  test.skipIf(!hasChromium)("is drawn by a browser as it was written", async () => {
    const profile = join(folder, "chromium");
    const { code, stdout } = await run("chromium", [
      ...[
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        `--user-data-dir=${profile}`,
      ],
      ...["--virtual-time-budget=1000", "--dump-dom", `file://${join(folder, "report.html")}`],
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain('<span class="verdict passed">passed</span>');
    expect(stdout.match(/<circle /g)?.length).toBeGreaterThan(10);
  });
});

test("no drill leaves a process that belongs to nobody", async () => {
  const { supervisor } = await cluster.status();
  await eventually("every process is the supervisor's", async () => {
    const { findOrphans } = await import("../../src/process/orphans.ts");
    return (
      findOrphans(cluster.dataDir, supervisor.pid).length === 0 && processesOf(cluster.dataDir).length > 5
    );
  });
});
