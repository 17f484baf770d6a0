// What nodes and pods use, measured of real processes, and the autoscaler that follows it.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, eventually, hasKubectl, kubectlVersions, startCluster } from "./harness.ts";

const busy = `apiVersion: v1
kind: Pod
metadata: {name: busy, labels: {app: busy}}
spec:
  containers:
  - {name: burner, image: busybox, command: [sh, -c, "while :; do :; done & wait"]}
  - {name: idler, image: busybox, command: [sleep, "1000"]}
---
apiVersion: v1
kind: Pod
metadata: {name: quiet, namespace: kube-system, labels: {app: quiet}}
spec: {containers: [{name: quiet, image: nginx}]}
`;

describe.skipIf(!hasKubectl)("autoscaling", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2 });
    await cluster.apply(busy);
    await cluster.kubectl("wait", "--for=condition=Ready", "pod/busy", "--timeout=60s");
    await cluster.kubectl("wait", "-n", "kube-system", "--for=condition=Ready", "pod/quiet", "--timeout=60s");
  });
  afterAll(() => cluster?.stop());

  /** Lines of `kubectl top` without the heading, as words. */
  const top = async (args: string[], version?: string) => {
    const { stdout, stderr, code } = await cluster.tryKubectl(["top", ...args], version ? { version } : {});
    if (code !== 0) throw new Error(`kubectl top ${args.join(" ")}: ${stderr}`);
    return stdout
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/));
  };
  const milli = (text = "") => (text.endsWith("m") ? Number.parseInt(text, 10) : Number.NaN);

  describe.each(kubectlVersions().length > 0 ? kubectlVersions() : [undefined])(
    "kubectl %s top",
    (version) => {
      test("shows what burns and what does not", async () => {
        const containers = await eventually("the burner is seen", async () => {
          const rows = await top(["pod", "--containers", "--sort-by=cpu", "-l", "app=busy"], version);
          return milli(rows[0]?.[2]) > 50 && rows;
        });
        expect(containers.map(([pod, name]) => `${pod}/${name}`)).toEqual(["busy/burner", "busy/idler"]);
        expect(milli(containers[1]?.[2])).toBeLessThan(20);
        for (const row of containers) expect(row[3]).toMatch(/^\d+Mi$/);
        const all = await top(["pod", "-A", "--sort-by=cpu"], version);
        expect(all[0]?.slice(0, 2)).toEqual(["default", "busy"]);
        expect(all.map(([namespace, name]) => `${namespace}/${name}`)).toContain("kube-system/quiet");
        const nodes = await top(["node", "--sort-by=cpu"], version);
        expect(nodes).toHaveLength(2);
        expect(milli(nodes[0]?.[1])).toBeGreaterThan(50);
        for (const row of nodes) {
          expect(row[2]).toMatch(/^\d+%$/);
          expect(row[4]).toMatch(/^\d+%$/);
        }
      });
    },
  );

  test("metrics are found, listed and said to be missing as metrics-server does", async () => {
    expect(await cluster.kubectl("api-resources", "--api-group=metrics.k8s.io", "--no-headers")).toMatch(
      /^nodes +metrics\.k8s\.io\/v1beta1 +false +NodeMetrics\npods +metrics\.k8s\.io\/v1beta1 +true +PodMetrics\n$/,
    );
    expect(await cluster.kubectl("get", "podmetrics", "busy")).toMatch(
      /^NAME +CPU +MEMORY +WINDOW\nbusy +\w+ +\w+ +[\d.]+s\n$/,
    );
    const path = "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/busy";
    const raw = JSON.parse(await cluster.kubectl("get", "--raw", path)) as {
      kind: string;
      metadata: { labels: object };
      containers: { name: string; usage: { cpu: string; memory: string } }[];
    };
    expect(raw).toMatchObject({ kind: "PodMetrics", metadata: { labels: { app: "busy" } } });
    expect(raw.containers.map(({ name }) => name).sort()).toEqual(["burner", "idler"]);
    const missing = await cluster.tryKubectl(["top", "pod", "nobody"]);
    expect([missing.code, missing.stderr]).toEqual([
      1,
      'Error from server (NotFound): podmetrics.metrics.k8s.io "default/nobody" not found\n',
    ]);
    // The core resources keep their short names.
    expect(await cluster.kubectl("get", "pods", "busy", "-o", "name")).toBe("pod/busy\n");
    expect(await cluster.kubemu("get", "pods", "busy", "-o", "name")).toBe("pod/busy\n");
  });

  describe("an autoscaler", () => {
    const describeHpa = (name: string) => cluster.kubectl("describe", "hpa", name);
    const hpa = async (name: string) =>
      JSON.parse(await cluster.kubectl("get", "hpa", name, "-o", "json")) as {
        status: {
          currentReplicas: number;
          conditions: { type: string; status: string; reason: string; message: string }[];
        };
      };
    const condition = async (name: string, type: string) =>
      (await hpa(name)).status.conditions?.find((each) => each.type === type);

    test("scales hpa-example up under load and down again without", async () => {
      await cluster.kubectl("delete", "pod", "busy");
      await cluster.apply(`apiVersion: apps/v1
kind: Deployment
metadata: {name: php-apache}
spec:
  selector: {matchLabels: {run: php-apache}}
  template:
    metadata: {labels: {run: php-apache}}
    spec:
      containers:
      - name: php-apache
        image: registry.k8s.io/hpa-example
        ports: [{containerPort: 80}]
        resources: {limits: {cpu: 500m}, requests: {cpu: 200m}}
---
apiVersion: v1
kind: Service
metadata: {name: php-apache}
spec: {ports: [{port: 80}], selector: {run: php-apache}}
`);
      await cluster.kubectl("rollout", "status", "deployment/php-apache", "--timeout=60s");
      expect(
        await cluster.kubectl(
          "autoscale",
          "deployment",
          "php-apache",
          "--cpu-percent=50",
          "--min=1",
          "--max=3",
        ),
      ).toContain("horizontalpodautoscaler.autoscaling/php-apache autoscaled\n");
      const down = { spec: { behavior: { scaleDown: { stabilizationWindowSeconds: 2 } } } };
      await cluster.kubectl("patch", "hpa", "php-apache", "--type=merge", "-p", JSON.stringify(down));
      await eventually("it is measured", async () =>
        /\nphp-apache +Deployment\/php-apache +cpu: \d+%\/50% +1 +3 +1 +\S+\n$/.test(
          await cluster.kubectl("get", "hpa", "php-apache"),
        ),
      );
      const url = await cluster.url("php-apache");
      let loaded = true;
      const load = (async () => {
        while (loaded)
          await Promise.all(
            [fetch(url), fetch(url)].map((each) => each.then((r) => r.text()).catch(() => "")),
          );
      })();
      await eventually(
        "three replicas",
        async () => (await hpa("php-apache")).status.currentReplicas === 3,
        90_000,
      );
      expect(await describeHpa("php-apache")).toMatch(
        /SuccessfulRescale .*New size: [23]; reason: cpu resource utilization \(percentage of request\) above target/,
      );
      loaded = false;
      await load;
      await eventually(
        "one replica",
        async () => (await hpa("php-apache")).status.currentReplicas === 1,
        90_000,
      );
      const described = await describeHpa("php-apache");
      expect(described).toContain("New size: 1; reason: All metrics below target");
      expect(described).toMatch(
        /ScalingActive +True +ValidMetricFound +the HPA was able to successfully calculate/,
      );
      expect(
        await cluster.kubectl("get", "deployment", "php-apache", "-o", "jsonpath={.spec.replicas}"),
      ).toBe("1");
    });

    test("says why it cannot scale", async () => {
      const autoscaler = (name: string, metric: string, target = "php-apache") => `---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: ${name}}
spec:
  maxReplicas: 3
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: ${target}}
  metrics: [${metric}]
`;
      const custom =
        '{type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: "10"}}}';
      const memory =
        "{type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 50}}}";
      // Each its own target: two of the same pods would stand still.
      for (const name of ["custom", "memory"])
        await cluster.kubectl("create", "deployment", name, "--image=registry.k8s.io/hpa-example");
      const { stderr } = await cluster.tryKubectl(["apply", "-f", "-"], {
        input:
          autoscaler("custom", custom, "custom") +
          autoscaler("memory", memory, "memory") +
          autoscaler("nothing", memory, "nothing"),
      });
      expect(stderr).toBe(
        "Warning: spec.metrics[0]: kubemu serves no custom or external metrics; a metric of type Pods cannot be read\n",
      );
      expect(await eventually("no scale", () => condition("nothing", "AbleToScale"))).toMatchObject({
        status: "False",
        reason: "FailedGetScale",
        message:
          'the HPA controller was unable to get the target\'s current scale: deployments/scale.apps "nothing" not found',
      });
      const unmeasurable = await eventually("no request", async () => {
        const now = await condition("memory", "ScalingActive");
        // Before its pods are measured, that is what is missing.
        return /no metrics returned/.test(now?.message ?? "") ? undefined : now;
      });
      expect(unmeasurable).toMatchObject({
        status: "False",
        reason: "FailedGetResourceMetric",
        message: expect.stringMatching(
          /^the HPA was unable to compute the replica count: failed to get memory utilization: missing request for memory in container hpa-example of Pod memory-/,
        ) as string,
      });
      expect(await eventually("no API", () => condition("custom", "ScalingActive"))).toMatchObject({
        status: "False",
        reason: "FailedGetPodsMetric",
      });
      expect(await describeHpa("memory")).toMatch(
        /FailedComputeMetricsReplicas .*invalid metrics \(1 invalid out of 1\)/,
      );
    });
  });
});
