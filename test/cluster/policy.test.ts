// Budgets, quotas and limits as their users meet them: through kubectl, against real pods.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, eventually, startCluster } from "./harness.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ nodes: 2 });
});
afterAll(() => cluster?.stop());

const kubectl = (...args: string[]) => cluster.kubectl(...args);
const jsonpath = (what: readonly string[], path: string) => kubectl("get", ...what, "-o", `jsonpath=${path}`);

describe("a disruption budget", () => {
  const budget = ["pdb", "web"];

  beforeAll(async () => {
    await kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2");
    await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
  });

  test("is created and shown by kubectl, and counted", async () => {
    expect(await kubectl("create", "pdb", "web", "--selector=app=web", "--min-available=2")).toBe(
      "poddisruptionbudget.policy/web created\n",
    );
    await eventually(
      "it is counted",
      async () => (await jsonpath(budget, "{.status.currentHealthy}")) === "2",
    );
    expect(await kubectl("get", "pdb")).toMatch(
      /^NAME +MIN AVAILABLE +MAX UNAVAILABLE +ALLOWED DISRUPTIONS +AGE\nweb +2 +N\/A +0 +\d+s\n$/,
    );
    expect(await kubectl("describe", "pdb", "web")).toMatch(
      /Allowed disruptions: +0\n +Current: +2\n +Desired: +2\n +Total: +2/,
    );
  });

  test("holds kubectl drain back until it allows more", async () => {
    const [node] = (await jsonpath(["pods", "-l", "app=web"], "{.items[0].spec.nodeName}")).split(" ");
    const drain = ["drain", node!, "--ignore-daemonsets", "--delete-emptydir-data"];
    const refused = await cluster.tryKubectl([...drain, "--timeout=1s"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      "(will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget.",
    );
    expect((await jsonpath(["pods", "-l", "app=web"], "{.items[*].metadata.deletionTimestamp}")).trim()).toBe(
      "",
    );

    await kubectl("patch", "pdb", "web", "--type=merge", '-p={"spec":{"minAvailable":1}}');
    await eventually(
      "it allows one",
      async () => (await jsonpath(budget, "{.status.disruptionsAllowed}")) === "1",
    );
    expect(await kubectl(...drain, "--timeout=60s")).toContain(`node/${node} drained`);
    await eventually("both run elsewhere", async () => {
      const nodes = await jsonpath(["pods", "-l", "app=web"], "{.items[*].spec.nodeName}");
      return nodes.split(" ").length === 2 && !nodes.split(" ").includes(node!);
    });
    await kubectl("uncordon", node!);
    await eventually("the kubelet tells of both", async () => {
      const reasons = await jsonpath(
        [
          "events",
          "--all-namespaces",
          "--field-selector",
          `involvedObject.kind=Node,involvedObject.name=${node}`,
        ],
        "{.items[*].reason}",
      );
      return ["NodeNotSchedulable", "NodeSchedulable"].every((reason) => reasons.split(" ").includes(reason));
    });
  });
});

test("an Ingress is created and shown by kubectl", async () => {
  await kubectl("create", "ingress", "site", "--class=example", "--rule=a.example.com/*=web:80");
  expect(await kubectl("get", "ingress")).toMatch(
    /^NAME +CLASS +HOSTS +ADDRESS +PORTS +AGE\nsite +example +a\.example\.com +80 +\d+s\n$/,
  );
  const nothing = await cluster.tryKubectl(["create", "-f", "-"], {
    input: JSON.stringify({
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "n" },
      spec: {},
    }),
  });
  expect(nothing.stderr).toContain(
    'The Ingress "n" is invalid: spec: Invalid value: []: either `defaultBackend` or `rules` must be specified',
  );
});

describe("a quota", () => {
  const inSpace = (...args: string[]) => kubectl(...args, "-n", "team");

  test("is created and shown by kubectl, and holds a Deployment to what it allows", async () => {
    await kubectl("create", "namespace", "team");
    expect(await inSpace("create", "quota", "team", "--hard=pods=2,requests.cpu=1,limits.cpu=2")).toBe(
      "resourcequota/team created\n",
    );
    await inSpace("create", "deployment", "web", "--image=nginx", "--replicas=3");
    await eventually("its pods are refused", async () =>
      (await inSpace("get", "events", "-o", "jsonpath={.items[*].message}")).includes(
        "is forbidden: failed quota: team: must specify limits.cpu for: nginx; requests.cpu for: nginx",
      ),
    );
    await inSpace("set", "resources", "deployment/web", "--requests=cpu=100m", "--limits=cpu=200m");
    await eventually("two of three pods run", async () =>
      (await inSpace("get", "deployment", "web")).includes("2/3"),
    );
    await eventually("the third is refused", async () =>
      (await inSpace("get", "events", "-o", "jsonpath={.items[*].message}")).includes(
        "is forbidden: exceeded quota: team, requested: pods=1, used: pods=2, limited: pods=2",
      ),
    );
    await eventually("all is counted", async () =>
      (await inSpace("describe", "quota", "team")).match(
        /limits\.cpu +400m +2\npods +2 +2\nrequests\.cpu +200m +1\n/,
      ),
    );
    expect(await inSpace("get", "quota")).toMatch(
      /^NAME +REQUEST +LIMIT +AGE\nteam +pods: 2\/2, requests\.cpu: 200m\/1 +limits\.cpu: 400m\/2 +\d+s\n$/,
    );
  });

  test("is met by the defaults of a LimitRange, and does not keep its namespace", async () => {
    await inSpace("delete", "deployment", "web");
    await cluster.apply(
      JSON.stringify({
        apiVersion: "v1",
        kind: "LimitRange",
        metadata: { name: "team", namespace: "team" },
        spec: {
          limits: [
            {
              type: "Container",
              default: { cpu: "200m" },
              defaultRequest: { cpu: "100m" },
              max: { cpu: "500m" },
            },
          ],
        },
      }),
    );
    await eventually(
      "the old pods count no more",
      async () => (await inSpace("get", "quota", "team", "-o", "jsonpath={.status.used.pods}")) === "0",
    );
    await inSpace("run", "one", "--image=nginx");
    await inSpace("wait", "pod/one", "--for=condition=Ready", "--timeout=60s");
    expect(await inSpace("describe", "limitrange", "team")).toMatch(/Container +cpu +- +500m +100m +200m +-/);
    const refused = await cluster.tryKubectl([
      "run",
      "big",
      "-n",
      "team",
      "--image=nginx",
      '--overrides={"spec":{"containers":[{"name":"big","image":"nginx","resources":{"limits":{"cpu":"1"}}}]}}',
    ]);
    expect(refused.stderr).toContain(
      'pods "big" is forbidden: maximum cpu usage per Container is 500m, but limit is 1',
    );
    await kubectl("delete", "namespace", "team", "--timeout=60s");
  });
});

test("kubectl auth asks who one is and what one may", async () => {
  expect(await kubectl("auth", "can-i", "create", "pods")).toBe("yes\n");
  expect(await kubectl("auth", "can-i", "get", "/healthz")).toBe("yes\n");
  expect(await kubectl("auth", "can-i", "--list")).toMatch(
    /^Resources +Non-Resource URLs +Resource Names +Verbs\n\*\.\* +\[\] +\[\] +\[\*\]\n/,
  );
  expect(await kubectl("auth", "whoami")).toMatch(/Username +\S+\nGroups +\[.*system:authenticated.*\]/);
  expect(await kubectl("get", "--raw", "/readyz?verbose")).toContain("readyz check passed");
});
