// StatefulSets and DaemonSets on real nodes: names, order, addresses, what a lost node does to them, and what kubectl shows of it.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, eventually, hasKubectl, startCluster } from "./harness.ts";
import { type Kubectl, kubectlIn, oldestAndNewest } from "./kubectl-in.ts";

const template = (app: string) => `  selector: {matchLabels: {app: ${app}}}
  template:
    metadata: {labels: {app: ${app}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: nginx:1.25
        ports: [{containerPort: 80, name: web}]
`;
const statefulSet = (name: string, spec = "") => `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ${name}}
spec:
  serviceName: ${name}
  replicas: 3
${spec}${template(name)}`;
const headless = (name: string) => `apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {clusterIP: None, selector: {app: ${name}}, ports: [{port: 80, name: web}]}
---
`;
const daemonSet = (name: string, spec = "") => `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: ${name}}
spec:
${spec}${template(name)}`;

describe.skipIf(!hasKubectl)("on three nodes", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 3 });
  });
  afterAll(() => cluster?.stop());

  const namesOf = async (kubectl: Kubectl, app: string) =>
    (await kubectl("get", "pods", "-l", `app=${app}`, "-o", "jsonpath={.items[*].metadata.name}")).split(" ");
  const field = (kubectl: Kubectl, object: string, path: string) =>
    kubectl("get", object, "-o", `jsonpath={${path}}`);

  describe.each(oldestAndNewest())("with kubectl %s", (version) => {
    let kubectl: Kubectl;
    beforeAll(async () => {
      kubectl = await kubectlIn(cluster, `stateful-${(version ?? "own").replace(".", "-")}`, version);
    });

    test("a StatefulSet's pods have their names, hostnames and labels, and come one after the other", async () => {
      await kubectl.apply(headless("web") + statefulSet("web"));
      await kubectl("rollout", "status", "sts/web", "--timeout=60s");
      expect(await namesOf(kubectl, "web")).toEqual(["web-0", "web-1", "web-2"]);
      const labels = JSON.parse(await field(kubectl, "pod/web-1", ".metadata.labels"));
      expect(labels).toEqual({
        app: "web",
        "apps.kubernetes.io/pod-index": "1",
        "controller-revision-hash": await field(kubectl, "sts/web", ".status.currentRevision"),
        "statefulset.kubernetes.io/pod-name": "web-1",
      });
      expect(
        (await field(kubectl, "pod/web-1", ".spec.hostname")) +
          (await field(kubectl, "pod/web-1", ".spec.subdomain")),
      ).toBe("web-1web");
      const created = await kubectl(
        "get",
        "events",
        "--field-selector",
        "involvedObject.kind=StatefulSet",
        "--sort-by=.metadata.name",
        "-o",
        'jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}',
      );
      expect(created.trim().split("\n").sort()).toEqual(
        ["web-0", "web-1", "web-2"].map(
          (pod) => `SuccessfulCreate: create Pod ${pod} in StatefulSet web successful`,
        ),
      );
      const ready = await kubectl(
        "get",
        "pods",
        "-l",
        "app=web",
        "-o",
        'jsonpath={range .items[*]}{.metadata.creationTimestamp} {.status.conditions[?(@.type=="Ready")].lastTransitionTime} {end}',
      );
      const [, ready0 = "", made1 = "", ready1 = "", made2 = ""] = ready.trim().split(" ");
      expect(ready0 <= made1 && ready1 <= made2).toBe(true);
    });

    test("its headless Service names each pod by its hostname", async () => {
      const endpoints = await eventually("three addresses", async () => {
        const names = await field(kubectl, "endpoints/web", ".subsets[0].addresses[*].hostname");
        return names.split(" ").length === 3 && names;
      });
      expect(endpoints.split(" ").sort()).toEqual(["web-0", "web-1", "web-2"]);
      const slices = await kubectl(
        "get",
        "endpointslices",
        "-l",
        "kubernetes.io/service-name=web",
        "-o",
        "jsonpath={.items[*].endpoints[*].hostname}",
      );
      expect(slices.split(" ").sort()).toEqual(["web-0", "web-1", "web-2"]);
    });

    test("is listed and described as kubectl's users know it", async () => {
      const [head, row] = (await kubectl("get", "sts", "-o", "wide")).split("\n");
      expect(head?.trimEnd()).toMatch(/^NAME +READY +AGE +CONTAINERS +IMAGES$/);
      expect(row?.trimEnd()).toMatch(/^web +3\/3 +\d+s +web +nginx:1\.25$/);
      expect(await kubectl("get", "all")).toMatch(/statefulset\.apps\/web +3\/3/);
      const described = await kubectl("describe", "sts", "web");
      expect(described).toMatch(/^Replicas: +3 desired \| 3 total$/m);
      expect(described).toMatch(/^Pods Status: +3 Running \/ 0 Waiting \/ 0 Succeeded \/ 0 Failed$/m);
      expect(described).toMatch(/^Update Strategy: +RollingUpdate$/m);
      expect(described).toMatch(
        /SuccessfulCreate .*statefulset-controller +create Pod web-0 in StatefulSet web successful/,
      );
    });

    test("a deleted pod comes back under its name with another uid", async () => {
      const uid = await field(kubectl, "pod/web-1", ".metadata.uid");
      await kubectl("delete", "pod", "web-1");
      await kubectl("rollout", "status", "sts/web", "--timeout=60s");
      expect(await field(kubectl, "pod/web-1", ".metadata.uid")).not.toBe(uid);
    });

    test("updates down to the partition, then the rest", async () => {
      await kubectl(
        "patch",
        "sts",
        "web",
        "-p",
        '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":2}}}}',
      );
      await kubectl("set", "image", "sts/web", "web=nginx:1.26");
      expect(await kubectl("rollout", "status", "sts/web", "--timeout=60s")).toContain(
        "partitioned roll out complete: 1 new pods have been updated...",
      );
      const images = () =>
        kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].spec.containers[0].image}");
      expect(await images()).toBe("nginx:1.25 nginx:1.25 nginx:1.26");
      await kubectl(
        "patch",
        "sts",
        "web",
        "-p",
        '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}',
      );
      await kubectl("rollout", "status", "sts/web", "--timeout=60s");
      expect(await images()).toBe("nginx:1.26 nginx:1.26 nginx:1.26");
    });

    test("scales through its subresource, from the highest ordinal down", async () => {
      await kubectl("scale", "sts", "web", "--replicas=1", "--current-replicas=3");
      await eventually("one pod", async () => (await namesOf(kubectl, "web")).join() === "web-0");
      const reasons = await kubectl(
        "get",
        "events",
        "--field-selector",
        "involvedObject.kind=StatefulSet,reason=SuccessfulDelete",
        "-o",
        "jsonpath={range .items[*]}{.message}|{end}",
      );
      expect(reasons).toContain("delete Pod web-2 in StatefulSet web successful");
      await kubectl("scale", "sts", "web", "--replicas=2");
      await kubectl("rollout", "status", "sts/web", "--timeout=60s");
      expect(await namesOf(kubectl, "web")).toEqual(["web-0", "web-1"]);
    });

    test("refuses what may not change, in Kubernetes' words", async () => {
      const { code, stderr } = await kubectl.attempt(
        "patch",
        "sts",
        "web",
        "-p",
        '{"spec":{"serviceName":"other"}}',
      );
      expect(code).toBe(1);
      expect(stderr).toContain(
        "The StatefulSet \"web\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      );
    });

    test("a broken update stops at its pod; after an undo that pod must be deleted by hand, as in Kubernetes", async () => {
      await kubectl("set", "image", "sts/web", "web=nginx:1.161");
      await eventually("web-1 cannot start", async () =>
        /ErrImagePull|ImagePullBackOff/.test(await kubectl("get", "pod", "web-1", "--no-headers")),
      );
      expect(await kubectl("get", "sts", "web", "--no-headers")).toMatch(/^web +1\/2 /);
      await kubectl("rollout", "undo", "sts/web");
      const stuck = await kubectl.attempt("rollout", "status", "sts/web", "--timeout=1s");
      expect(stuck.code).toBe(1);
      await kubectl("delete", "pod", "web-1");
      await kubectl("rollout", "status", "sts/web", "--timeout=60s");
      expect(await field(kubectl, "pod/web-1", ".spec.containers[0].image")).toBe("nginx:1.26");
      await kubectl("delete", "sts", "web");
      await eventually("its pods go with it", async () => (await namesOf(kubectl, "web")).join() === "");
    });

    test("a DaemonSet has a pod on every node, bound by the scheduler, and is shown so", async () => {
      await kubectl.apply(daemonSet("log"));
      await kubectl("rollout", "status", "ds/log", "--timeout=60s");
      const nodes = await kubectl("get", "pods", "-l", "app=log", "-o", "jsonpath={.items[*].spec.nodeName}");
      expect(nodes.split(" ").sort()).toEqual((await cluster.status()).nodes.map(({ name }) => name).sort());
      const [head, row] = (await kubectl("get", "ds", "-o", "wide")).split("\n");
      expect(head?.trimEnd()).toMatch(
        /^NAME +DESIRED +CURRENT +READY +UP-TO-DATE +AVAILABLE +NODE SELECTOR +AGE +CONTAINERS +IMAGES +SELECTOR$/,
      );
      expect(row?.trimEnd()).toMatch(/^log( +3){5} +<none> +\d+s +web +nginx:1\.25 +app=log$/);
      const described = await kubectl("describe", "ds", "log");
      expect(described).toMatch(/^Desired Number of Nodes Scheduled: 3$/m);
      expect(described).toMatch(/SuccessfulCreate .*daemonset-controller +Created pod: log-\w+/);
      const scheduled = await kubectl(
        "get",
        "events",
        "--field-selector",
        "reason=Scheduled",
        "-o",
        "jsonpath={.items[*].source.component}",
      );
      expect(scheduled).toContain("default-scheduler");
    });

    test("its nodeSelector follows the nodes' labels", async () => {
      await kubectl(
        "patch",
        "ds",
        "log",
        "-p",
        '{"spec":{"template":{"spec":{"nodeSelector":{"disk":"ssd"}}}}}',
      );
      await eventually(
        "none is wanted",
        async () => (await field(kubectl, "ds/log", ".status.desiredNumberScheduled")) === "0",
      );
      await eventually("none is there", async () => (await namesOf(kubectl, "log")).join() === "");
      await cluster.kubectl("label", "node", "node-2", "disk=ssd");
      const where = () => kubectl("get", "pods", "-l", "app=log", "-o", "jsonpath={.items[*].spec.nodeName}");
      await eventually("one is there", async () => (await where()) === "node-2");
      expect(await kubectl("get", "ds", "log", "--no-headers")).toContain("disk=ssd");
      await cluster.kubectl("label", "node", "node-2", "disk-");
      await eventually("it goes again", async () => (await where()) === "");
      await kubectl("delete", "ds", "log");
    });
  });

  describe("when a node is lost", () => {
    let kubectl: Kubectl;
    beforeAll(async () => {
      kubectl = await kubectlIn(cluster, "lost-node");
      await kubectl.apply(`${headless("db")}${statefulSet("db")}---\n${daemonSet("agent")}`);
      await kubectl("rollout", "status", "sts/db", "--timeout=60s");
      await kubectl("rollout", "status", "ds/agent", "--timeout=60s");
    });

    test("drain leaves the DaemonSet's pod and moves the StatefulSet's, also past a cordon", async () => {
      const node = await field(kubectl, "pod/db-0", ".spec.nodeName");
      const drained = await kubectl.attempt(
        "drain",
        node,
        "--ignore-daemonsets",
        "--delete-emptydir-data",
        "--timeout=60s",
      );
      expect(drained.stderr).toContain("ignoring DaemonSet-managed Pods");
      expect(drained.code).toBe(0);
      await kubectl("rollout", "status", "sts/db", "--timeout=60s");
      expect(await field(kubectl, "pod/db-0", ".spec.nodeName")).not.toBe(node);
      expect(await kubectl("get", "ds", "agent", "--no-headers")).toMatch(/^agent( +3){5} /);
      await kubectl("uncordon", node);
    });

    test("its StatefulSet pod comes back elsewhere under the same name, and the DaemonSet's when the node does", async () => {
      const node = await field(kubectl, "pod/db-1", ".spec.nodeName");
      const uid = await field(kubectl, "pod/db-1", ".metadata.uid");
      await cluster.kubemu("node", "kill", node);
      await eventually("db-1 is ready elsewhere", async () => {
        const now = JSON.parse(await kubectl("get", "pod", "db-1", "-o", "json")) as {
          metadata: { uid: string };
          spec: { nodeName?: string };
          status: { conditions?: { type: string; status: string }[] };
        };
        const ready = now.status.conditions?.some(
          ({ type, status }) => type === "Ready" && status === "True",
        );
        return ready && now.metadata.uid !== uid && now.spec.nodeName !== node;
      });
      expect(await namesOf(kubectl, "db")).toEqual(["db-0", "db-1", "db-2"]);
      await eventually("its address follows", async () => {
        const addresses = JSON.parse(await field(kubectl, "endpoints/db", ".subsets[0].addresses")) as {
          hostname: string;
          nodeName: string;
        }[];
        return addresses.length === 3 && addresses.every(({ nodeName }) => nodeName !== node);
      });
      await eventually(
        "two daemons",
        async () => (await field(kubectl, "ds/agent", ".status.desiredNumberScheduled")) === "2",
      );
      await cluster.kubemu("node", "start", node);
      await eventually(
        "three daemons",
        async () => (await field(kubectl, "ds/agent", ".status.numberReady")) === "3",
      );
    });
  });
});
