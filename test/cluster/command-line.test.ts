// The CLI as a user meets it: exit codes, what it prints, the kubeconfig it merges, the foreground run, the ordinary user, the package.
import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  clusterAt,
  eventually,
  fetchText,
  hasKubectl,
  KUBEMU,
  processesOf,
  run,
  startCluster,
} from "./harness.ts";

const scratch = () => realpathSync(mkdtempSync(join(tmpdir(), "kubemu-cli-")));
const kubemu = (args: readonly string[], env: NodeJS.ProcessEnv = process.env) =>
  run(process.execPath, [KUBEMU, ...args], { env });

describe("usage", () => {
  test.each([
    [["up", "--nonsense"], /--nonsense/],
    [["nonsense"], /nonsense.*(up|down)/s],
    [["up", "--profile", "slow"], /fast.*kubernetes/],
    [["up", "--nodes", "none"], /nodes/],
    [["up", "--name", "No_Label"], /name/],
    [["node", "explode", "node-1"], /kill/],
  ])("kubemu %j exits 2 with one line that says what is allowed", async (args, says) => {
    const { code, stderr } = await kubemu(args as string[]);
    expect(code).toBe(2);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(says as RegExp);
  });

  test("every command explains itself", async () => {
    for (const command of ["up", "down", "status", "node", "services", "pods", "env", "kubectl"]) {
      const { code, stdout } = await kubemu([command, "-h"]);
      expect([command, code]).toEqual([command, 0]);
      expect(stdout).toMatch(/Usage: kubemu/);
    }
  });

  test("what is not there is named, with exit code 1", async () => {
    const home = scratch();
    const missing = await kubemu([
      "up",
      join(home, "absent"),
      "--data-dir",
      join(home, "data"),
      "--no-merge",
      "--detach",
    ]);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain(join(home, "absent"));
    const down = await kubemu(["status", "--data-dir", join(home, "data")]);
    expect(down.code).toBe(1);
    expect(processesOf(join(home, "data"))).toEqual([]);
    rmSync(home, { recursive: true, force: true });
  });

  test("a port taken by someone else is named", async () => {
    const home = scratch();
    const server = createServer();
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const { port } = server.address() as { port: number };
    const { code, stderr } = await kubemu([
      "up",
      "--api-port",
      String(port),
      "--data-dir",
      join(home, "data"),
      "--no-merge",
      "--detach",
    ]);
    server.close();
    expect(code).toBe(1);
    expect(stderr).toContain(String(port));
    expect(processesOf(join(home, "data"))).toEqual([]);
    rmSync(home, { recursive: true, force: true });
  });
});

describe("the data directory", () => {
  test("in use by a running cluster is refused, and so is one written by a newer version", async () => {
    const cluster = await startCluster({ nodes: 1 });
    const second = await kubemu([
      "up",
      "--name",
      "other",
      "--data-dir",
      cluster.dataDir,
      "--no-merge",
      "--detach",
    ]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(cluster.dataDir);
    expect((await cluster.status()).phase).toBe("Running");
    await cluster.kubemu("down");
    const file = join(cluster.dataDir, "cluster.json");
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), version: 999 }));
    const newer = await kubemu([
      "up",
      "--name",
      cluster.name,
      "--data-dir",
      cluster.dataDir,
      "--no-merge",
      "--detach",
    ]);
    expect(newer.code).toBe(1);
    expect(newer.stderr).toMatch(/newer/);
    rmSync(cluster.dataDir, { recursive: true, force: true });
  });
});

describe("the kubeconfig", () => {
  test("is merged, made current, and taken out again, with everything else left as it was", async () => {
    const home = scratch();
    const config = join(home, "config");
    const before =
      "apiVersion: v1\nkind: Config\n# a remark\ncurrent-context: mine\nclusters:\n- name: mine\n  cluster: {server: 'https://example.invalid'}\ncontexts:\n- name: mine\n  context: {cluster: mine, user: me}\nusers:\n- name: me\n  user: {token: t}\n";
    writeFileSync(config, before, { mode: 0o600 });
    const env = { ...process.env, KUBECONFIG: config };
    const up = await kubemu(
      ["up", "--name", "merge", "--data-dir", join(home, "data"), "--nodes", "1", "--in-memory", "--detach"],
      env,
    );
    expect(up.stderr + up.stdout).not.toMatch(/error/i);
    expect(up.code).toBe(0);
    const merged = readFileSync(config, "utf8");
    expect(merged).toContain("current-context: kubemu-merge");
    expect(merged).toContain("# a remark");
    expect(statSync(join(home, "data/kubeconfig")).mode & 0o777).toBe(0o600);
    if (hasKubectl) expect((await run("kubectl", ["get", "nodes"], { env })).stdout).toMatch(/node-1 +Ready/);
    expect((await kubemu(["env", "--name", "merge", "--data-dir", join(home, "data")], env)).stdout).toBe(
      `export KUBECONFIG=${join(home, "data/kubeconfig")}\n`,
    );
    expect(
      (await kubemu(["down", "--delete", "--name", "merge", "--data-dir", join(home, "data")], env)).code,
    ).toBe(0);
    const after = readFileSync(config, "utf8");
    expect(after).toContain("current-context: mine");
    expect(after).not.toContain("kubemu-merge");
    expect(existsSync(join(home, "data"))).toBe(false);
    rmSync(home, { recursive: true, force: true });
  });
});

describe("a cluster's size", () => {
  test("changes while it runs", async () => {
    const cluster = await startCluster({ nodes: 1 });
    await cluster.kubemu("node", "add", "extra");
    await eventually("the new node is ready", async () =>
      /extra +Ready/.test(await cluster.kubectl("get", "nodes")),
    );
    await cluster.kubemu("node", "remove", "extra");
    await eventually("it is gone", async () => !/extra/.test(await cluster.kubectl("get", "nodes")));
    await cluster.kubemu("node", "stop", "node-1");
    await eventually("a stopped node is not ready", async () =>
      /node-1 +NotReady/.test(await cluster.kubectl("get", "nodes")),
    );
    await cluster.kubemu("node", "start", "node-1");
    await eventually("and comes back", async () =>
      /node-1 +Ready/.test(await cluster.kubectl("get", "nodes")),
    );
    const wrong = await cluster.tryKubemu("node", "kill", "node-9");
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("node-1");
    await cluster.stop();
  });
});

describe("in the foreground", () => {
  test("up prints what there is to try, and Ctrl-C stops everything", async () => {
    const home = scratch();
    const dataDir = join(home, "data");
    const child = spawn(
      process.execPath,
      [
        KUBEMU,
        "up",
        "fixtures/quickstart",
        "--name",
        "front",
        "--data-dir",
        dataDir,
        "--in-memory",
        "--no-merge",
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    let printed = "";
    child.stdout.on("data", (chunk) => {
      printed += chunk;
    });
    child.stderr.on("data", (chunk) => {
      printed += chunk;
    });
    const exited = new Promise<number | null>((done) => child.on("exit", done));
    // Also when something below fails: the supervisor stops when its `up` is gone.
    onTestFinished(() => void child.kill("SIGKILL"));
    const url = await eventually("a URL is printed", () => /http:\/\/[\d.]+(:\d+)?\/?/.exec(printed)?.[0]);
    await eventually(
      "the summary is complete",
      () =>
        /node-3/.test(printed) &&
        printed.includes(join(dataDir, "kubeconfig")) &&
        printed.includes("fixtures/quickstart") &&
        /kill/.test(printed),
    );
    expect((await eventually("the Service answers", () => fetchText(url))).status).toBe(200);
    child.kill("SIGINT");
    expect(await exited).toBe(0);
    expect(processesOf(dataDir)).toEqual([]);
    rmSync(home, { recursive: true, force: true });
  });
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: running as an ordinary user beside root, as this is no root");

describe.skipIf(!isRoot || !existsSync("/usr/bin/setpriv"))(
  "as an ordinary user, where ports below 1024 are forbidden",
  () => {
    test("port 80 in a manifest works", async () => {
      const home = scratch();
      const root = resolve(import.meta.dirname, "../..");
      // The project's own folder may not be readable to others.
      const copy = join(home, "kubemu");
      mkdirSync(copy);
      for (const part of ["dist", "fixtures", "package.json"])
        cpSync(join(root, part), join(copy, part), { recursive: true });
      cpSync(join(root, "node_modules/@photostructure"), join(copy, "node_modules/@photostructure"), {
        recursive: true,
      });
      for (const dependency of ["node-gyp-build", "detect-libc", "bindings"]) {
        const from = join(root, "node_modules", dependency);
        if (existsSync(from)) cpSync(from, join(copy, "node_modules", dependency), { recursive: true });
      }
      chmodSync(home, 0o755);
      const mine = join(home, "nobody");
      mkdirSync(mine);
      chownSync(mine, 65534, 65534);
      const env = { PATH: process.env["PATH"], HOME: mine };
      const asNobody = (args: string[]) =>
        run(
          "setpriv",
          [
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            process.execPath,
            join(copy, "dist/kubemu.js"),
            ...args,
          ],
          { env, cwd: copy },
        );
      const dataDir = join(mine, "data");
      const up = await asNobody([
        "up",
        "fixtures/quickstart",
        "--data-dir",
        dataDir,
        "--nodes",
        "2",
        "--detach",
      ]);
      expect(up.stderr + up.stdout).not.toMatch(/EACCES/);
      expect(up.code).toBe(0);
      const services = JSON.parse(
        (await asNobody(["services", "-o", "json", "--data-dir", dataDir])).stdout,
      ) as { name: string; urls: { host: string[] } }[];
      const url = services.find(({ name }) => name === "web")?.urls.host[0] ?? "";
      expect((await eventually("the Service answers", () => fetchText(url))).status).toBe(200);
      expect((await asNobody(["down", "--delete", "--data-dir", dataDir])).code).toBe(0);
      expect(processesOf(dataDir)).toEqual([]);
      rmSync(home, { recursive: true, force: true });
    });
  },
);

describe("single-address mode", () => {
  test("everything shares 127.0.0.1 and can be curled", async () => {
    const cluster = await startCluster({
      nodes: 2,
      folders: ["fixtures/quickstart"],
      args: ["--single-address"],
    });
    const url = await cluster.url("web");
    expect(new URL(url).hostname).toBe("127.0.0.1");
    const seen = new Set<string | null>();
    await eventually("all three pods answer", async () => {
      seen.add((await fetchText(url)).headers.get("x-pod-name"));
      return seen.size === 3;
    });
    await cluster.stop();
  });
});

describe("the package", () => {
  test("installs without scripts and works outside the repository", async () => {
    const home = scratch();
    const root = resolve(import.meta.dirname, "../..");
    const packed = await run("npm", ["pack", "--ignore-scripts", "--pack-destination", home], { cwd: root });
    expect(packed.code).toBe(0);
    writeFileSync(join(home, "package.json"), "{}");
    const installed = await run(
      "npm",
      [
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        join(home, packed.stdout.trim().split("\n").at(-1) ?? ""),
      ],
      { cwd: home },
    );
    expect(installed.stderr).not.toMatch(/npm error/);
    const cli = join(home, "node_modules/.bin/kubemu");
    const identity = ["--name", "packed", "--data-dir", join(home, "data")];
    const up = await run(cli, ["up", ...identity, "--nodes", "1", "--in-memory", "--no-merge", "--detach"], {
      cwd: home,
    });
    expect(up.stderr).toBe("");
    expect(up.code).toBe(0);
    expect((await clusterAt("packed", join(home, "data")).status()).nodes).toHaveLength(1);
    expect((await run(cli, ["down", "--delete", ...identity], { cwd: home })).code).toBe(0);
    rmSync(home, { recursive: true, force: true });
  });
});
