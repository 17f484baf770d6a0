// Priorities as kubectl's user meets them: who makes way for whom, what is told of it, and who is spared.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, eventually, startCluster } from "./harness.ts";

const classes = `
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: { name: high }
value: 1000
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: { name: polite }
value: 1000
preemptionPolicy: Never
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: guarded }
spec: { minAvailable: 1, selector: { matchLabels: { app: guarded } } }
`;

describe("a full node", () => {
  let cluster: Cluster;
  let cores: number;
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "kubemu-preemption-")));
  const mayLeave = join(directory, "may-leave");

  /** A pod that asks for that share of the node's processors; it leaves when it is told to, or `after` the file is there. */
  const pod = (
    name: string,
    share: number,
    { after, priority }: { after?: string; priority?: string } = {},
  ) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${name} } }
spec:
  ${priority ? `priorityClassName: ${priority}` : ""}
  terminationGracePeriodSeconds: 60
  containers:
  - name: main
    image: busybox
    command: [sh, -c, ${JSON.stringify(
      after
        ? `trap '' TERM; until [ -e ${after} ]; do sleep 0.1; done`
        : "trap 'exit 0' TERM; while true; do sleep 0.1; done",
    )}]
    resources: { requests: { cpu: ${Math.floor(cores * share * 1000)}m } }
---`;
  const field = (name: string, path: string) =>
    cluster.kubectl("get", "pod", name, "-o", `jsonpath={${path}}`);
  const described = (name: string) => cluster.kubectl("describe", "pod", name);
  const says = (name: string, text: string) =>
    eventually(`${name} says: ${text}`, async () => (await described(name)).includes(text));

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1 });
    cores = Number(
      await cluster.kubectl("get", "nodes", "-o", "jsonpath={.items[0].status.allocatable.cpu}"),
    );
    await cluster.apply(classes);
    await cluster.apply(pod("guarded", 0.4) + pod("free", 0.4, { after: mayLeave }));
    await cluster.kubectl("wait", "--for=condition=Ready", "pod/guarded", "pod/free", "--timeout=60s");
    await eventually(
      "the budget has counted its pod",
      async () =>
        (await cluster.kubectl("get", "pdb", "guarded", "-o", "jsonpath={.status.currentHealthy}")) === "1",
    );
  });
  afterAll(async () => {
    writeFileSync(mayLeave, "");
    await cluster?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test("keeps equals and those who never preempt waiting, and says why", async () => {
    await cluster.apply(pod("equal", 0.4) + pod("polite", 0.4, { priority: "polite" }));
    await says(
      "equal",
      "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
    );
    await says(
      "polite",
      "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.",
    );
    await cluster.kubectl("delete", "pod", "equal", "polite");
  });

  test("makes way for a higher priority, sparing whom a budget guards", async () => {
    await cluster.apply(pod("urgent", 0.4, { priority: "high" }));
    const node = await field("guarded", ".spec.nodeName");
    await eventually(
      "urgent has a node in mind",
      async () => (await field("urgent", ".status.nominatedNodeName")) === node,
    );
    expect(await cluster.kubectl("get", "pod", "urgent", "-o", "wide")).toMatch(
      new RegExp(`NOMINATED NODE.*\\nurgent +0/1 +Pending .* ${node} +<none>\\n$`),
    );
    const uid = await field("urgent", ".metadata.uid");
    await says("free", `Preempted by pod ${uid} on node ${node}`);
    expect(await described("free")).toMatch(/Normal +Preempted +\S+ +default-scheduler /);
    expect(await field("free", '.status.conditions[?(@.type=="DisruptionTarget")].reason')).toBe(
      "PreemptionByScheduler",
    );
    await says("urgent", "0/1 nodes are available: 1 Insufficient cpu.");
    // What comes meanwhile does not get the place that is being made.
    await cluster.apply(pod("late", 0.4));
    await says("late", "Insufficient cpu");
    writeFileSync(mayLeave, "");
    await cluster.kubectl("wait", "--for=condition=Ready", "pod/urgent", "--timeout=60s");
    expect(await field("urgent", ".status.nominatedNodeName")).toBe("");
    expect(await field("guarded", ".status.phase")).toBe("Running");
    expect(await field("late", ".spec.nodeName")).toBe("");
    await cluster.kubectl("wait", "--for=delete", "pod/free", "--timeout=60s");
  });

  test("takes a guarded pod where there is no other way", async () => {
    await cluster.apply(pod("vital", 0.7, { priority: "system-node-critical" }));
    await cluster.kubectl("wait", "--for=condition=Ready", "pod/vital", "--timeout=60s");
    await cluster.kubectl("wait", "--for=delete", "pod/guarded", "pod/urgent", "--timeout=60s");
    expect(await field("late", ".spec.nodeName")).toBe("");
  });
});
