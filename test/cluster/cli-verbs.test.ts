// The verbs of a user without kubectl, side by side with the real one in one cluster: same output, same exit code.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import {
  type Cluster,
  eventually,
  type Finished,
  fetchText,
  hasKubectl,
  KUBEMU,
  run,
  startCluster,
} from "./harness.ts";

const MANIFEST = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings, labels: { app: shop } }
data: { colour: blue, "on": "yes" }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: motto }
data: { text: "a: 1\\nb: 2" }
---
apiVersion: v1
kind: Namespace
metadata: { name: bounded }
---
apiVersion: v1
kind: ResourceQuota
metadata: { name: compute, namespace: bounded }
spec: { hard: { requests.cpu: "1", pods: "4" } }
---
apiVersion: v1
kind: ResourceQuota
metadata: { name: idle, namespace: bounded }
spec: { hard: { pods: "5" }, scopes: [BestEffort, NotTerminating] }
---
apiVersion: v1
kind: LimitRange
metadata: { name: sizes, namespace: bounded }
spec:
  limits:
    - { type: Container, max: { cpu: "1" }, default: { cpu: 500m }, maxLimitRequestRatio: { cpu: "4" } }
    - { type: PersistentVolumeClaim, min: { storage: 1Gi } }
---
apiVersion: v1
kind: Namespace
metadata: { name: crowded }
---
apiVersion: v1
kind: LimitRange
metadata: { name: sizes, namespace: crowded }
spec:
  limits:
    - { type: Container, max: { cpu: "1", memory: 1Gi }, default: { cpu: 500m }, maxLimitRequestRatio: { cpu: "4" } }
---
apiVersion: v1
kind: Pod
metadata: { name: two, labels: { app: two } }
spec:
  containers:
    - { name: first, image: busybox, command: [sh, -c, "echo one; echo two; echo three; sleep 3600"] }
    - { name: second, image: busybox, command: [sleep, "3600"], env: [{ name: A, value: b }] }
`;

let cluster: Cluster;
let folder: string;
/** `kubemu VERB …`: the options that name the cluster come before what follows \`--\`. */
const kubemu = (args: readonly string[], input?: string): Promise<Finished> => {
  const [verb = "", ...rest] = args;
  return run(
    process.execPath,
    [KUBEMU, verb, "--data-dir", cluster.dataDir, ...rest],
    input === undefined ? {} : { input },
  );
};
const ok = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await kubemu(args);
  if (code !== 0) throw new Error(`kubemu ${args.join(" ")}: exit ${code}\n${stdout}${stderr}`);
  return stdout;
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubemu-verbs-"));
  writeFileSync(join(folder, "shop.yaml"), MANIFEST);
  writeFileSync(join(folder, "notes.txt"), "no manifest");
  cluster = await startCluster({ folders: ["fixtures/quickstart"] });
  await ok("apply", "-f", folder);
  await ok("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s");
});
afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

// What grows between two looks.
const still = (text: string): string =>
  text
    .replace(/\b(\d+m)?\d+s\b/g, "AGE")
    // Which of several equal pods is asked is up to each.
    .replace(/using pod\/\S+/, "using pod")
    .replace(/^\d{4}\/\d\d\/\d\d [\d:]{8}/gm, "TIME")
    .replace(/ +/g, " ")
    .replace(/-{2,}/g, "--")
    .replace(/(RenewTime|LastHeartbeatTime):.*/g, "$1");

describe.skipIf(!hasKubectl)("beside kubectl", () => {
  test.each([
    ["get pods"],
    ["get po,svc -o wide"],
    ["get all"],
    ["get all -A"],
    ["get deployments.apps web"],
    ["get deploy/web svc/web"],
    ["get nodes --show-labels"],
    ["get pods -l app=web"],
    ["get pods --field-selector status.phase=Running -A"],
    ["get pods -l app=nobody"],
    ["get pods nobody"],
    ["get events -A -o name"],
    ["get deploy,cm -o name"],
    ["get deploy web -o json"],
    ["get cm -o json"],
    ['get pods -o jsonpath={range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}'],
    ["get pods -o jsonpath={.items[?(@.metadata.name=='two')].spec.containers[*].name}"],
    ["describe pod two"],
    ["describe deploy web"],
    ["describe rs"],
    ["describe svc web"],
    ["describe ns default"],
    ["describe ns bounded"],
    ["describe quota,limits -n bounded"],
    ["describe cm motto"],
    ["rollout status deploy/web"],
    ["rollout history deployment/web"],
    ["rollout history deployment/web --revision=1"],
    ["logs two -c first"],
    ["logs two --tail=1"],
    ["logs deploy/web --tail=1"],
    ["wait --for=condition=Available deploy/web"],
    ["wait --for=jsonpath={.status.phase}=Running pod/two"],
    ["wait --for=condition=Gone pod/two --timeout=1s"],
    ["exec two -- sh -c exit_3"],
    ["exec two -c second -- printenv A"],
  ])("kubemu %s", async (line) => {
    const words = line.split(" -o jsonpath=");
    const args = [
      ...(words[0] ?? "").split(" ").map((word) => word.replace("exit_3", "exit 3")),
      ...(words[1] === undefined ? [] : ["-o", `jsonpath=${words[1]}`]),
    ];
    const own = await kubemu(args);
    const real = await cluster.tryKubectl(args);
    expect(still(own.stdout)).toBe(still(real.stdout));
    expect(own.code).toBe(real.code);
    const plain = (text: string) => still(text).replace(/^(kubemu|error): /gm, "");
    expect(plain(own.stderr)).toBe(plain(real.stderr));
  });

  test.each([["describe cm settings"], ["describe limits -n crowded"], ["describe ns crowded"]])(
    "kubemu %s, whose lines kubectl shows in random order",
    async (line) => {
      const lines = (text: string) => still(text).split("\n").sort();
      const [own, real] = [await kubemu(line.split(" ")), await cluster.tryKubectl(line.split(" "))];
      expect(lines(own.stdout)).toEqual(lines(real.stdout));
      expect(own.code).toBe(real.code);
    },
  );

  test("-o yaml reads as kubectl's does", async () => {
    const own = parse(await ok("get", "cm", "settings", "-o", "yaml"), { version: "1.1" });
    const real = parse(await cluster.kubectl("get", "cm", "settings", "-o", "yaml"), { version: "1.1" });
    expect(own).toEqual(real);
    expect(own.data).toEqual({ colour: "blue", on: "yes" });
  });
});

describe("what changes the cluster", () => {
  test("apply says what it did: created, configured, unchanged", async () => {
    const map = (colour: string) =>
      `{apiVersion: v1, kind: ConfigMap, metadata: {name: paint}, data: {colour: ${colour}}}`;
    expect((await kubemu(["apply", "-f", "-"], map("red"))).stdout).toBe("configmap/paint created\n");
    expect((await kubemu(["apply", "-f", "-"], map("red"))).stdout).toBe("configmap/paint unchanged\n");
    expect((await kubemu(["apply", "-f", "-"], map("green"))).stdout).toBe("configmap/paint configured\n");
    const wrong = await kubemu(["apply", "-f", "-"], "{apiVersion: v1, kind: Paint, metadata: {name: x}}");
    expect([wrong.code, wrong.stderr]).toEqual([1, 'kubemu: no matches for kind "Paint" in version "v1"\n']);
    expect(await ok("delete", "cm", "paint")).toBe('configmap "paint" deleted\n');
    expect((await kubemu(["delete", "cm/paint"])).stderr).toBe(
      'Error from server (NotFound): configmaps "paint" not found\n',
    );
  });

  test("scale, set image, rollout restart, undo, pause and resume say what kubectl says", async () => {
    expect(await ok("scale", "deploy/web", "--replicas=2")).toBe("deployment.apps/web scaled\n");
    expect(await ok("set", "image", "deployment/web", "nginx=nginx:1.28")).toBe(
      "deployment.apps/web image updated\n",
    );
    expect(await ok("rollout", "status", "deployment/web")).toContain(
      'deployment "web" successfully rolled out\n',
    );
    expect(await ok("get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}")).toBe(
      "nginx:1.28",
    );
    expect(await ok("rollout", "undo", "deployment/web")).toBe("deployment.apps/web rolled back\n");
    expect(await ok("get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}")).toBe(
      "nginx:1.27",
    );
    expect(await ok("rollout", "pause", "deployment/web")).toBe("deployment.apps/web paused\n");
    expect((await kubemu(["rollout", "undo", "deployment/web"])).code).toBe(1);
    expect(await ok("rollout", "resume", "deployment/web")).toBe("deployment.apps/web resumed\n");
    expect(await ok("rollout", "restart", "deployment/web")).toBe("deployment.apps/web restarted\n");
    await ok("rollout", "status", "deployment/web", "--timeout=60s");
    expect((await kubemu(["set", "image", "deploy/web", "nobody=x"])).stderr).toBe(
      'kubemu: unable to find container named "nobody"\n',
    );
  });

  test("delete waits until the object is gone, and --force does not wait for its process", async () => {
    await kubemu(
      ["apply", "-f", "-"],
      "{apiVersion: v1, kind: Pod, metadata: {name: brief}, spec: {containers: [{name: a, image: busybox, command: [sleep, '3600']}]}}",
    );
    await ok("wait", "--for=condition=Ready", "pod/brief");
    expect(await ok("delete", "pod", "brief", "--force")).toBe('pod "brief" force deleted\n');
    expect((await kubemu(["get", "pod", "brief"])).code).toBe(1);
    expect((await kubemu(["delete", "pods"])).code).toBe(2);
  });
});

describe("streams", () => {
  test("exec passes input on and takes the command's exit code", async () => {
    expect((await kubemu(["exec", "-i", "two", "--", "cat"], "hello\n")).stdout).toBe("hello\n");
    expect((await kubemu(["exec", "two", "--", "sh", "-c", "exit 7"])).code).toBe(7);
  });

  test("port-forward to a Service's port serves several connections at once", async () => {
    const child = spawn(process.execPath, [
      KUBEMU,
      "port-forward",
      "--data-dir",
      cluster.dataDir,
      "svc/web",
      ":80",
    ]);
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    const port = await eventually("it listens", () => /127\.0\.0\.1:(\d+) -> 80/.exec(output)?.[1]);
    const answers = await Promise.all([1, 2, 3].map(() => fetchText(`http://127.0.0.1:${port}/`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    expect(await ended).toBe(0);
    expect(output).toContain(`Handling connection for ${port}`);
  });

  test("get -w prints what changes, logs -f what is written", async () => {
    await ok("scale", "deploy/web", "--replicas=1");
    const watch = spawn(process.execPath, [KUBEMU, "get", "--data-dir", cluster.dataDir, "pods", "-w"]);
    let output = "";
    watch.stdout.on("data", (chunk) => {
      output += chunk;
    });
    await eventually("the list is there", () => output.includes("two"));
    await ok("scale", "deploy/web", "--replicas=3");
    await eventually("a new pod is seen to run", () =>
      /ContainerCreating[\s\S]*1\/1 +Running +0 +\d+s\n$/.test(output),
    );
    watch.kill();
    const follow = spawn(process.execPath, [
      KUBEMU,
      "logs",
      "--data-dir",
      cluster.dataDir,
      "two",
      "-c",
      "first",
      "-f",
    ]);
    let log = "";
    follow.stdout.on("data", (chunk) => {
      log += chunk;
    });
    await eventually("the log is there", () => log === "one\ntwo\nthree\n");
    follow.kill();
  });
});
