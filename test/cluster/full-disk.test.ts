// A disk that is really full: a small file system of the cluster's own, in namespaces that need no root.
import { type ChildProcess, spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { eventually, hasKubectl, KUBEMU, kubectlPath, processesOf, run } from "./harness.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "kubemu-full-")));
const dataDir = join(folder, "disk/data");
const MOUNT = `mkdir -p ${folder}/disk && mount -t tmpfs -o size=24m tmpfs ${folder}/disk`;
const isPermitted = hasKubectl && (await run("unshare", ["-Urm", "sh", "-c", MOUNT])).code === 0;
if (!isPermitted) console.log("skipped: the full disk, as no file system can be mounted here without root");

let supervisor: ChildProcess | undefined;
afterAll(async () => {
  const ended = supervisor && new Promise((resolve) => supervisor?.once("exit", resolve));
  if (supervisor?.exitCode === null) {
    supervisor.kill("SIGTERM");
    await ended;
  }
  const left = processesOf(dataDir);
  for (const pid of left) process.kill(pid, "SIGKILL");
  rmSync(folder, { recursive: true, force: true });
  expect(left).toEqual([]);
});

test.skipIf(!isPermitted)(
  "is told to clients, loses nothing that was acknowledged, and ends when there is room again",
  async () => {
    const up = `${MOUNT} && exec "$0" "$1" up --name full --data-dir ${dataDir} --nodes 1 --no-merge`;
    supervisor = spawn("unshare", ["-Urm", "sh", "-c", up, process.execPath, KUBEMU], { stdio: "ignore" });
    // What is mounted is seen by the cluster's processes only; their view of the disk is reached through one of them.
    const seen = (file: string) => `/proc/${supervisor?.pid}/root${join(folder, "disk", file)}`;
    const kubeconfig = join(folder, "kubeconfig");
    await eventually("there is a kubeconfig", () => existsSync(seen("data/kubeconfig")));
    const kubectl = (...args: string[]) => run(kubectlPath(), ["--kubeconfig", kubeconfig, ...args]);
    const succeeds = (what: string, ...args: string[]) =>
      eventually(what, async () => {
        copyFileSync(seen("data/kubeconfig"), kubeconfig);
        const { code, stdout } = await kubectl(...args);
        return code === 0 && { stdout };
      });
    await succeeds("the node is ready", "wait", "--for=condition=Ready", "node/node-1", "--timeout=60s");
    await succeeds("a write", "create", "configmap", "kept", "--from-literal=answer=42");

    const fill = seen("fill");
    writeFileSync(fill, "");
    const large = join(folder, "large");
    writeFileSync(large, "x".repeat(500_000));
    fillUp(fill);
    const stored: string[] = ["kept"];
    const refusal = await eventually("a write is refused", async () => {
      fillUp(fill);
      const name = `large-${stored.length}`;
      const { code, stderr } = await kubectl("create", "configmap", name, `--from-file=${large}`);
      if (code !== 0) return stderr;
      stored.push(name);
      return undefined;
    });
    expect(refusal).toMatch(/Internal error occurred: writing database .*: database or disk is full/);
    const names = async () => {
      const { stdout } = await kubectl(
        "get",
        "configmaps",
        "-o",
        "name",
        "--field-selector=metadata.name!=kube-root-ca.crt",
      );
      return stdout
        .split("\n")
        .filter(Boolean)
        .map((name) => name.replace("configmap/", ""))
        .sort();
    };
    // What is stored can be read all the while.
    expect(await names()).toEqual([...stored].sort());

    // The control plane dies on the full disk, and comes back to what it had acknowledged.
    const isControlPlane = (pid: number) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("control-plane.js");
    const [controlPlane] = processesOf(dataDir).filter(isControlPlane);
    process.kill(controlPlane as number, "SIGKILL");
    rmSync(fill);
    await succeeds(
      "a write when there is room again",
      "create",
      "configmap",
      "after",
      `--from-file=${large}`,
    );
    expect(await names()).toEqual([...stored, "after"].sort());
    expect((await kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.answer}")).stdout).toBe("42");
    await succeeds("the node goes on", "wait", "--for=condition=Ready", "node/node-1", "--timeout=60s");
  },
);

/** Takes all the room there is. */
function fillUp(file: string): void {
  for (const size of [1024 * 1024, 64 * 1024, 4096])
    for (;;) {
      try {
        writeFileSync(file, Buffer.alloc(size), { flag: "a" });
      } catch {
        break;
      }
    }
}
