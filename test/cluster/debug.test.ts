// kubectl debug in its three forms, and pods/resize, with every kubectl that has them.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, eventually, hasKubectl, kubectlVersions, startCluster } from "./harness.ts";

const VERSIONS = kubectlVersions();
const nameOf = (what: string, version: string) => `${what}-${version.replace(".", "-")}`;
const POD = `
apiVersion: v1
kind: Pod
metadata: {name: app, labels: {app: app}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: web
    image: nginx
    ports: [{containerPort: 8080}]
    resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 128Mi}}
`;

let cluster: Cluster;
beforeAll(async () => {
  if (!hasKubectl) return;
  cluster = await startCluster({ nodes: 1 });
  await cluster.apply(POD);
  await cluster.kubectl("wait", "--for=condition=Ready", "pod/app", "--timeout=60s");
}, 120_000);
afterAll(() => cluster?.stop());

const path = (name: string, jsonpath: string) =>
  cluster.kubectl("get", "pod", name, "-o", `jsonpath=${jsonpath}`);

describe.skipIf(!hasKubectl)("debug", () => {
  test("adds an ephemeral container to a running pod, with every kubectl", async () => {
    for (const version of VERSIONS) {
      const name = nameOf("debugger", version);
      const command = `read line; echo $line; echo host $HOSTNAME ip $POD_IP`;
      const { code, stdout } = await cluster.tryKubectl(
        ["debug", "-i", "app", "--image=busybox:1.28", "--target=web", "-c", name, "--", "sh", "-c", command],
        { version, input: "typed\n" },
      );
      expect({ version, code }).toEqual({ version, code: 0 });
      expect(stdout).toContain(`typed\nhost app ip ${await path("app", "{.status.podIP}")}\n`);
      const ended = `{.status.ephemeralContainerStatuses[?(@.name=="${name}")].state.terminated.exitCode}`;
      await eventually("its end is told", async () => (await path("app", ended)) === "0");
      expect(await cluster.kubectl("logs", "app", "-c", name)).toContain("host app");
    }
    const described = await cluster.kubectl("describe", "pod", "app");
    expect(described).toContain("Ephemeral Containers:");
    expect(described).toContain("Started container debugger-");
    const events = await cluster.kubectl(
      "get",
      "events",
      "-o",
      "jsonpath={.items[*].involvedObject.fieldPath}",
    );
    expect(events).toContain(`spec.ephemeralContainers{${nameOf("debugger", VERSIONS[0] ?? "")}}`);
    // The pod itself has not noticed.
    expect(await path("app", "{.status.containerStatuses[0].restartCount} {.status.phase}")).toBe(
      "0 Running",
    );
  });

  test("leaves a pod's ephemeral containers as they are", async () => {
    const patch = '{"spec":{"ephemeralContainers":[{"name":"debugger-1-27","image":"other"}]}}';
    const changed = await cluster.tryKubectl(
      ["patch", "pod", "app", "--subresource=ephemeralcontainers", "-p", patch],
      {
        version: VERSIONS.at(-1) ?? "",
      },
    );
    expect(changed.code).toBe(1);
    const raw = await cluster.kubectl(
      "get",
      "--raw",
      "/api/v1/namespaces/default/pods/app/ephemeralcontainers",
    );
    expect(JSON.parse(raw).spec.ephemeralContainers).toHaveLength(VERSIONS.length);
  });

  test("copies a pod with another command, and debugs a node, with old and new kubectls", async () => {
    for (const version of new Set([VERSIONS[0], VERSIONS.at(-1)] as string[])) {
      const copy = nameOf("copy", version);
      const script = "echo copied; sleep 3600";
      await cluster.tryKubectl(
        [
          "debug",
          "app",
          `--copy-to=${copy}`,
          "--container=web",
          "--image=busybox:1.28",
          "--",
          "sh",
          "-c",
          script,
        ],
        { version },
      );
      await eventually("the copy runs", async () => (await cluster.kubectl("logs", copy)) === "copied\n");
      expect(await path(copy, "{.metadata.labels}")).toBe("");
      const { stdout } = await cluster.tryKubectl(
        [
          "debug",
          "-i",
          "node/node-1",
          "--image=busybox:1.28",
          "--",
          "sh",
          "-c",
          "ls -d $KUBEMU_ROOT/host/proc",
        ],
        { version },
      );
      expect(stdout).toContain("/host/proc\n");
    }
    const debuggers = await cluster.kubectl("get", "pods", "-o", "name");
    expect(debuggers).toContain("pod/node-debugger-node-1-");
  });
});

describe.skipIf(!hasKubectl)("resize", () => {
  test("changes what the node counts with, and says so where there is no room", async () => {
    const version = VERSIONS.at(-1) ?? "";
    const resize = async (cpu: string) => {
      const patch = `{"spec":{"containers":[{"name":"web","resources":{"requests":{"cpu":"${cpu}"}}}]}}`;
      return cluster.tryKubectl(["patch", "pod", "app", "--subresource=resize", "-p", patch], { version });
    };
    const given = () => path("app", "{.status.containerStatuses[0].resources.requests.cpu}");
    expect((await resize("200m")).stdout).toContain("pod/app patched");
    await eventually("it is given", async () => (await given()) === "200m");
    expect((await resize("1000")).code).toBe(0);
    const pending = '{.status.conditions[?(@.type=="PodResizePending")].reason}';
    await eventually("it is refused", async () => (await path("app", pending)) === "Infeasible");
    expect(await given()).toBe("200m");
    expect((await resize("300m")).code).toBe(0);
    await eventually("it is given", async () => (await given()) === "300m");
    await eventually("nothing is pending", async () => (await path("app", pending)) === "");
    expect(await path("app", "{.status.containerStatuses[0].restartCount}")).toBe("0");
    const plain = await cluster.tryKubectl([
      "patch",
      "pod",
      "app",
      "-p",
      '{"spec":{"containers":[{"name":"web","resources":{"requests":{"cpu":"1"}}}]}}',
    ]);
    expect(plain.stderr).toContain("pod updates may not change fields other than");
  });
});
