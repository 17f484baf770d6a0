// Section 8 of the first issue: each way that a part can fail, against real processes, with a client that keeps sending requests.
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, eventually, fetchText, keepSending, processesOf, startCluster } from "./harness.ts";

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("a cluster with a Service in front of three replicas", () => {
  let cluster: Cluster;
  let url: string;

  beforeAll(async () => {
    cluster = await startCluster({ folders: ["fixtures/quickstart"] });
    url = await cluster.url("web");
    await eventually("three pods serve", readyPods);
  });
  afterAll(() => cluster?.stop());

  const readyPods = async (count = 3) => {
    const pods = (await cluster.pods()).filter(
      (pod) => pod.namespace === "default" && pod.name.startsWith("web-"),
    );
    const ready = await cluster.kubectl(
      "get",
      "deployment",
      "web",
      "-o",
      "jsonpath={.status.readyReplicas}/{.status.replicas}",
    );
    return ready === `${count}/${count}` && pods.length === count ? pods : undefined;
  };
  const nodeReady = (name: string) =>
    cluster.kubectl("get", "node", name, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}');

  test("balances over all three pods", async () => {
    const seen = new Set<string | null>();
    for (let sent = 0; sent < 30; sent++) seen.add((await fetchText(url)).headers.get("x-pod-name"));
    expect(seen.size).toBe(3);
  });

  test("restarts a container that was killed, in place", async () => {
    const traffic = keepSending(url);
    const victim = (await eventually("three pods", readyPods))[0]!;
    process.kill(victim.containers[0]!.pid, "SIGKILL");
    await eventually("RESTARTS is 1", async () => {
      const status = await cluster.kubectl(
        "get",
        "pod",
        victim.name,
        "-o",
        "jsonpath={.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready} {.status.containerStatuses[0].lastState.terminated.exitCode}",
      );
      return status === "1 true 137";
    });
    const { sent, failures } = await traffic.stop();
    expect(sent).toBeGreaterThan(10);
    // What was in flight through the killed process may be cut; no new connection may be refused.
    expect(failures.filter(({ why }) => /ECONNREFUSED|timed out/.test(why))).toEqual([]);
    expect(failures.length).toBeLessThanOrEqual(2);
  });

  test("replaces a pod that was deleted", async () => {
    const traffic = keepSending(url);
    const victim = (await eventually("three pods", readyPods))[0]!;
    await cluster.kubectl("delete", "pod", victim.name);
    const now = await eventually("three pods again", readyPods);
    expect(now.map(({ name }) => name)).not.toContain(victim.name);
    const { failures } = await traffic.stop();
    expect(failures).toEqual([]);
  });

  test("replaces the pods of a killed node, and takes the node back when it starts again", async () => {
    const traffic = keepSending(url);
    const before = await eventually("three pods", readyPods);
    const node = before[0]!.node;
    await cluster.kubemu("node", "kill", node);
    await eventually("the node is not ready", async () => (await nodeReady(node)) !== "True");
    await eventually("its pods are replaced elsewhere", async () => {
      const pods = await readyPods();
      return pods?.every((pod) => pod.node !== node);
    });
    expect(await cluster.kubectl("get", "nodes")).toMatch(new RegExp(`${node}\\s+NotReady`));
    await cluster.kubemu("node", "start", node);
    await eventually("the node is back", async () => (await nodeReady(node)) === "True");
    const { failures } = await traffic.stop();
    expect(failures.filter(({ why }) => /ECONNREFUSED|timed out/.test(why))).toEqual([]);
    expect(failures.length).toBeLessThanOrEqual(2);
  });

  test("notices an agent that was killed with a plain kill -9", async () => {
    const { nodes } = await cluster.status();
    const victim = nodes.at(-1)!;
    const containers = (await cluster.pods())
      .filter((pod) => pod.node === victim.name)
      .flatMap((pod) => pod.containers.map(({ pid }) => pid));
    process.kill(victim.pid, "SIGKILL");
    await eventually("the node is not ready", async () => (await nodeReady(victim.name)) !== "True");
    await eventually("its containers are gone", () => containers.every((pid) => !alive(pid)));
    await eventually("full replicas", async () =>
      (await readyPods())?.every((pod) => pod.node !== victim.name),
    );
    await cluster.kubemu("node", "start", victim.name);
    await eventually("the node is back", async () => (await nodeReady(victim.name)) === "True");
  });

  test("replaces the pods of a hung node, which ends them itself when it resumes", async () => {
    // Spread again first, so that the node that hangs has a pod.
    await cluster.kubectl("rollout", "restart", "deployment/web");
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s");
    const victim = (await eventually("three pods", readyPods))[0]!;
    const pid = victim.containers[0]!.pid;
    await cluster.kubemu("node", "pause", victim.node);
    await eventually("the node is not ready", async () => (await nodeReady(victim.node)) !== "True");
    expect((await fetchText(url)).status).toBe(200);
    await eventually(
      "its pod is replaced",
      async () => {
        const ready = await cluster.kubectl(
          "get",
          "pods",
          "-l",
          "app=web",
          "--field-selector",
          `spec.nodeName!=${victim.node}`,
          "-o",
          'jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status} {end}',
        );
        return ready.split(" ").filter((each) => each === "True").length === 3;
      },
      90_000,
    );
    await cluster.kubemu("node", "resume", victim.node);
    await eventually("the node is back", async () => (await nodeReady(victim.node)) === "True");
    await eventually("it has ended the pod that it should no longer run", () => !alive(pid));
  });

  test("survives a killed control plane: pods keep their pids, traffic goes on, no acknowledged write is lost", async () => {
    const before = await eventually("three pods", readyPods);
    const { controlPlane } = await cluster.status();
    const traffic = keepSending(url);
    await cluster.kubectl("create", "configmap", "written-before", "--from-literal=a=1");
    process.kill(controlPlane.pid, "SIGKILL");
    expect(
      await eventually("the API answers", () =>
        cluster.kubectl("get", "configmap", "written-before", "-o", "jsonpath={.data.a}"),
      ),
    ).toBe("1");
    const after = await eventually("three pods", readyPods);
    expect(after.map((pod) => pod.containers[0]!.pid).sort()).toEqual(
      before.map((pod) => pod.containers[0]!.pid).sort(),
    );
    expect((await cluster.status()).controlPlane.pid).not.toBe(controlPlane.pid);
    const { failures } = await traffic.stop();
    expect(failures).toEqual([]);
  });

  test("says nothing of numbers of pods while the control plane hangs", async () => {
    const { controlPlane } = await cluster.status();
    process.kill(controlPlane.pid, "SIGSTOP");
    try {
      const { nodes } = await cluster.status();
      expect(nodes.map(({ pods }) => pods)).toEqual([undefined, undefined, undefined]);
      expect(await cluster.kubemu("node", "list")).toMatch(/^node-1 .* -$/m);
    } finally {
      process.kill(controlPlane.pid, "SIGCONT");
    }
    await eventually("three pods", readyPods);
  });

  test("refuses no connection while a killed proxy process comes back", async () => {
    const traffic = keepSending(url);
    const { proxy } = await cluster.status();
    process.kill(proxy.pid, "SIGKILL");
    await eventually("another proxy process", async () => {
      const now = (await cluster.status()).proxy.pid;
      return now !== proxy.pid && alive(now);
    });
    await eventually("some more requests", () => traffic.sent > 100);
    const { failures } = await traffic.stop();
    expect(failures.filter(({ why }) => !/ECONNRESET|socket hang up/.test(why))).toEqual([]);
    expect(failures.length).toBeLessThanOrEqual(4);
  });
});

describe("the end of a cluster", () => {
  test("a supervisor killed with SIGKILL leaves no process behind", async () => {
    const cluster = await startCluster({ nodes: 2, folders: ["fixtures/quickstart"] });
    const { supervisor } = await cluster.status();
    expect(processesOf(cluster.dataDir).length).toBeGreaterThan(5);
    process.kill(supervisor.pid, "SIGKILL");
    await eventually("no process is left", () => processesOf(cluster.dataDir).length === 0);
    await cluster.stop();
  });

  test("kubemu down ends a cluster whose data directory was removed under it", async () => {
    const cluster = await startCluster({ nodes: 1 });
    expect(processesOf(cluster.dataDir).length).toBeGreaterThan(2);
    // Something may be written into it while it is removed.
    rmSync(cluster.dataDir, { recursive: true, force: true, maxRetries: 10 });
    expect(await cluster.kubemu("down")).toContain("was gone already");
    expect(processesOf(cluster.dataDir)).toEqual([]);
    rmSync(dirname(cluster.dataDir), { recursive: true, force: true });
  });

  test("kubemu down leaves no process and no port behind", async () => {
    const cluster = await startCluster({ nodes: 2, folders: ["fixtures/quickstart"] });
    const url = await cluster.url("web");
    expect((await eventually("the Service answers", () => fetchText(url))).status).toBe(200);
    await cluster.stop();
    expect(processesOf(cluster.dataDir)).toEqual([]);
    await expect(fetchText(url)).rejects.toThrow();
  });
});
