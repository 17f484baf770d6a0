// What a cluster keeps from `down` to the next `up`.
import { once } from "node:events";
import { mkdtempSync, readFileSync, realpathSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { clusterAt, eventually, processesOf, startCluster } from "./harness.ts";

const scratch = () => join(realpathSync(mkdtempSync(join(tmpdir(), "kubemu-test-"))), "data");

test("down and up give the same objects back, and their pods run again", async () => {
  const dataDir = scratch();
  const first = await startCluster({ dataDir, nodes: 2, inMemory: false });
  await first.kubectl("create", "deployment", "kept", "--image=nginx", "--replicas=2");
  await first.kubectl("create", "configmap", "kept", "--from-literal=answer=42");
  await first.kubectl("wait", "--for=condition=Available", "deployment/kept", "--timeout=60s");
  const uid = await first.kubectl("get", "deployment", "kept", "-o", "jsonpath={.metadata.uid}");
  await first.kubemu("down");
  expect(processesOf(dataDir)).toEqual([]);

  const second = await startCluster({ dataDir, nodes: 2, inMemory: false });
  expect(await second.kubectl("get", "deployment", "kept", "-o", "jsonpath={.metadata.uid}")).toBe(uid);
  expect(await second.kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.answer}")).toBe("42");
  await eventually("both pods are ready again", async () => {
    const pods = await second.pods();
    const ready = await second.kubectl("get", "deployment", "kept", "-o", "jsonpath={.status.readyReplicas}");
    return (
      ready === "2" &&
      pods.filter((pod) => pod.name.startsWith("kept-") && pod.containers[0]?.pid).length === 2
    );
  });
  await second.stop();
});

test("--in-memory keeps nothing", async () => {
  const dataDir = scratch();
  const first = await startCluster({ dataDir, nodes: 1 });
  await first.kubectl("create", "configmap", "gone", "--from-literal=a=1");
  await first.kubemu("down");
  const second = await startCluster({ dataDir, nodes: 1 });
  const answer = await second.tryKubectl(["get", "configmap", "gone"]);
  expect(answer.stderr).toContain('configmaps "gone" not found');
  await second.stop();
});

test("data whose addresses somebody else has by now starts with others", async () => {
  const dataDir = scratch();
  const first = await startCluster({
    dataDir,
    nodes: 1,
    inMemory: false,
    folders: ["fixtures/quickstart"],
  });
  await first.kubemu("down");
  const { slot } = JSON.parse(readFileSync(join(dataDir, "cluster.json"), "utf8")) as { slot: number };
  // As another cluster holds it.
  const holder = createServer().listen({ host: `127.${slot}.255.254`, port: 7443 });
  await once(holder, "listening");
  try {
    const second = await startCluster({ dataDir, nodes: 1, inMemory: false });
    expect(await second.url("web")).not.toContain(`//127.${slot}.`);
    await eventually("the Service answers", async () => (await fetch(await second.url("web"))).ok);
    const ranges = await second.kubectl("get", "nodes", "-o", "jsonpath={.items[*].spec.podCIDR}");
    expect(ranges).not.toContain(`127.${slot}.`);
    await second.stop();
  } finally {
    holder.close();
  }
});

test("two clusters at once do not clash", async () => {
  const [left, right] = await Promise.all([
    startCluster({ nodes: 1, folders: ["fixtures/quickstart"] }),
    startCluster({ nodes: 1, folders: ["fixtures/quickstart"] }),
  ]);
  try {
    const urls = await Promise.all([left.url("web"), right.url("web")]);
    expect(urls[0]).not.toBe(urls[1]);
    await left.kubectl("create", "configmap", "only-left", "--from-literal=a=1");
    expect((await right.tryKubectl(["get", "configmap", "only-left"])).code).toBe(1);
  } finally {
    await left.stop();
  }
  expect((await fetch(await right.url("web"))).status).toBe(200);
  await right.stop();
  expect(processesOf(clusterAt(right.name, right.dataDir).dataDir)).toEqual([]);
});
