// The commands of the first issue, typed as a user types them, with each kubectl found on the machine.
import { spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Cluster,
  eventually,
  freePort,
  hasKubectl,
  kubectlPath,
  kubectlVersions,
  startCluster,
} from "./harness.ts";

const versions = kubectlVersions().length > 0 ? kubectlVersions() : ["on the PATH"];

const manifest = (name: string, image = "nginx:1.27", replicas = 2) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels: {app: ${name}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - name: web
        image: ${image}
        ports: [{containerPort: 80}]
`;

describe.skipIf(!hasKubectl)("kubectl", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2 });
  });
  afterAll(() => cluster?.stop());

  describe.each(versions)("%s", (version) => {
    const named = /^\d/.test(version) ? version : undefined;
    const suffix = version.replace(/\D/g, "");
    const namespace = `v${suffix}`;
    const raw = (args: readonly string[], input?: string) =>
      cluster.tryKubectl(["-n", namespace, ...args], {
        ...(named ? { version: named } : {}),
        ...(input ? { input } : {}),
      });
    const kubectl = async (...args: string[]) => {
      const { code, stdout, stderr } = await raw(args);
      if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: exit ${code}\n${stdout}${stderr}`);
      return stdout;
    };
    // Not one that is going: scaling down leaves its pod in the list for a moment.
    const podName = async () => {
      const { items } = JSON.parse(await kubectl("get", "pods", "-l", "app=web", "-o", "json")) as {
        items: { metadata: { name: string; deletionTimestamp?: string } }[];
      };
      return items.find(({ metadata }) => !metadata.deletionTimestamp)!.metadata.name;
    };

    test("creates, applies and gets", async () => {
      expect(await kubectl("create", "namespace", namespace)).toBe(`namespace/${namespace} created\n`);
      const applied = await raw(["apply", "-f", "-"], manifest("web"));
      expect(applied.stderr).toBe("");
      expect(applied.stdout).toBe("deployment.apps/web created\n");
      expect((await raw(["apply", "-f", "-"], manifest("web"))).stdout).toBe(
        "deployment.apps/web unchanged\n",
      );
      expect(await kubectl("rollout", "status", "deployment/web", "--timeout=60s")).toContain(
        'deployment "web" successfully rolled out',
      );
      expect(await kubectl("get", "deployments")).toMatch(
        /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 +\d+s\n$/,
      );
      expect(await kubectl("get", "rs")).toMatch(
        /^NAME +DESIRED +CURRENT +READY +AGE\nweb-[bcdf-hj-np-tv-z0-9]+ +2 +2 +2 +\d+s\n$/,
      );
      expect(await kubectl("get", "pods")).toMatch(
        /^NAME +READY +STATUS +RESTARTS +AGE\n(web-[a-z0-9]+-[a-z0-9]{5} +1\/1 +Running +0 +\d+s\n){2}$/,
      );
      expect(await kubectl("get", "pods", "-o", "wide")).toMatch(
        /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\n/,
      );
      expect(await kubectl("get", "pods", "--show-labels")).toMatch(/app=web,pod-template-hash=/);
      expect(await kubectl("get", "pods", "-o", "name")).toMatch(/^(pod\/web-.+\n){2}$/);
      expect(JSON.parse(await kubectl("get", "deployment", "web", "-o", "json"))).toMatchObject({
        apiVersion: "apps/v1",
        kind: "Deployment",
        status: { readyReplicas: 2 },
      });
      expect(await kubectl("get", "deployment", "web", "-o", "yaml")).toContain("kind: Deployment");
      expect(await kubectl("get", "pods", "-A")).toMatch(/^NAMESPACE +NAME/);
      expect(await kubectl("get", "pods", "--field-selector", "status.phase=Pending")).toBe("");
      expect(await kubectl("get", "nodes")).toMatch(
        /^NAME +STATUS +ROLES +AGE +VERSION\nnode-1 +Ready +<none> +\S+ +v1\.\d+\.\d+\S*\n/,
      );
    });

    test("sends protobuf for what it creates by name", async () => {
      expect(
        await kubectl("create", "deployment", "made", "--image=nginx", "--replicas=1", "--port=80"),
      ).toBe("deployment.apps/made created\n");
      expect(await kubectl("create", "configmap", "made", "--from-literal=a=b")).toBe(
        "configmap/made created\n",
      );
      expect(await kubectl("create", "secret", "generic", "made", "--from-literal=password=s3cret")).toBe(
        "secret/made created\n",
      );
      expect(await kubectl("create", "serviceaccount", "made")).toBe("serviceaccount/made created\n");
      expect(await kubectl("create", "service", "clusterip", "made", "--tcp=80:80")).toBe(
        "service/made created\n",
      );
      expect(await kubectl("get", "secret", "made", "-o", "jsonpath={.data.password}")).toBe(
        Buffer.from("s3cret").toString("base64"),
      );
      expect(
        await kubectl(
          "get",
          "deployment",
          "made",
          "-o",
          "jsonpath={.spec.template.spec.containers[0].ports[0].containerPort}",
        ),
      ).toBe("80");
      await kubectl("delete", "deployment,service", "made");
    });

    test("applies server-side, with conflicts", async () => {
      const serverSide = await raw(["apply", "--server-side", "-f", "-"], manifest("ssa", "nginx:1.27", 1));
      expect(serverSide.stdout).toBe("deployment.apps/ssa serverside-applied\n");
      await kubectl("scale", "deployment/ssa", "--replicas=0");
      const conflicting = await raw(["apply", "--server-side", "-f", "-"], manifest("ssa", "nginx:1.27", 3));
      expect(conflicting.code).toBe(1);
      // The field manager is the program's own file name.
      expect(conflicting.stderr).toMatch(
        /Apply failed with 1 conflict: conflict with "kubectl[.\d]*" with subresource "scale" using apps\/v1: \.spec\.replicas/,
      );
      expect(conflicting.stderr).toContain(".spec.replicas");
      expect(
        (
          await raw(
            ["apply", "--server-side", "--force-conflicts", "-f", "-"],
            manifest("ssa", "nginx:1.27", 0),
          )
        ).code,
      ).toBe(0);
      await kubectl("delete", "deployment", "ssa");
    });

    test("goes from applying client-side to server-side and back", async () => {
      await raw(["apply", "-f", "-"], manifest("moved", "nginx:1.26", 1));
      const there = await raw(["apply", "--server-side", "-f", "-"], manifest("moved", "nginx:1.27", 1));
      expect(there).toMatchObject({ code: 0, stdout: "deployment.apps/moved serverside-applied\n" });
      expect(await kubectl("apply", "view-last-applied", "deployment/moved")).toContain("image: nginx:1.27");
      const back = await raw(["apply", "-f", "-"], manifest("moved", "nginx:1.27", 1));
      expect(back.stdout).toBe("deployment.apps/moved configured\n");
      await kubectl("delete", "deployment", "moved");
    });

    test("scales, labels, annotates, patches, replaces, edits by dry run and diff", async () => {
      expect(await kubectl("scale", "deployment/web", "--replicas=3")).toBe("deployment.apps/web scaled\n");
      expect(await kubectl("scale", "deployment/web", "--current-replicas=3", "--replicas=2")).toBe(
        "deployment.apps/web scaled\n",
      );
      expect(await kubectl("label", "deployment/web", "tier=front")).toBe("deployment.apps/web labeled\n");
      expect(await kubectl("annotate", "deployment/web", "note=hello")).toMatch(
        // 1.27 says "annotate".
        /^deployment.apps\/web annotated?\n$/,
      );
      expect(
        await kubectl(
          "patch",
          "deployment/web",
          "-p",
          '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","value":"1"}]}]}}}}',
        ),
      ).toBe("deployment.apps/web patched\n");
      expect(
        await kubectl("get", "deployment/web", "-o", "jsonpath={.spec.template.spec.containers[0].image}"),
      ).toBe("nginx:1.27");
      expect(
        await kubectl(
          "patch",
          "deployment/web",
          "--type=merge",
          "-p",
          '{"metadata":{"annotations":{"note":null}}}',
        ),
      ).toBe("deployment.apps/web patched\n");
      expect(
        await kubectl(
          "patch",
          "deployment/web",
          "--type=json",
          "-p",
          '[{"op":"replace","path":"/spec/replicas","value":2}]',
        ),
      ).toMatch(/patched/);
      const live = await kubectl("get", "deployment/web", "-o", "json");
      expect((await raw(["replace", "-f", "-"], live)).stdout).toBe("deployment.apps/web replaced\n");
      const stale = live.replace(/"resourceVersion": "\d+"/, '"resourceVersion": "1"');
      const lost = await raw(["replace", "-f", "-"], stale);
      expect(lost.stderr).toContain(
        'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again',
      );
      expect(
        (await raw(["apply", "--dry-run=server", "-f", "-"], manifest("web", "nginx:1.26"))).stdout,
      ).toContain("(server dry run)");
      expect(
        await kubectl("get", "deployment/web", "-o", "jsonpath={.spec.template.spec.containers[0].image}"),
      ).toBe("nginx:1.27");
      await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
    });

    test("refuses what is wrong, in Kubernetes' words", async () => {
      const unknown = await raw(["apply", "-f", "-"], manifest("bad").replace("replicas:", "replica:"));
      expect(unknown.stderr).toContain('strict decoding error: unknown field "spec.replica"');
      const typed = await raw(
        ["create", "--validate=false", "-f", "-"],
        manifest("bad").replace("replicas: 2", 'replicas: "two"'),
      );
      expect(typed.stderr).toContain(
        "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
      );
      const invalid = await raw(["create", "-f", "-"], manifest("Bad_Name"));
      expect(invalid.stderr).toContain('The Deployment "Bad_Name" is invalid:');
      const misspelt = await raw(["apply", "-f", "-"], manifest("bad").replace("Deployment", "Deploymentt"));
      expect(misspelt.stderr).toContain('no matches for kind "Deploymentt" in version "apps/v1"');
      expect((await raw(["get", "pod", "absent"])).stderr).toBe(
        'Error from server (NotFound): pods "absent" not found\n',
      );
      expect((await raw(["create", "namespace", namespace])).stderr).toBe(
        `Error from server (AlreadyExists): namespaces "${namespace}" already exists\n`,
      );
      expect((await raw(["get", "nonsense"])).stderr).toContain(
        'the server doesn\'t have a resource type "nonsense"',
      );
    });

    test("exposes and describes", async () => {
      expect(await kubectl("expose", "deployment/web", "--port=80", "--type=NodePort")).toBe(
        "service/web exposed\n",
      );
      expect(await kubectl("get", "svc", "web")).toMatch(
        /web +NodePort +\d+\.\d+\.\d+\.\d+ +<none> +80:3\d{4}\/TCP +\d+s/,
      );
      await eventually("two endpoints", async () =>
        /web +\S+:\d+,\S+:\d+ /.test(await kubectl("get", "endpoints", "web")),
      );
      const described = await kubectl("describe", "deployment", "web");
      expect(described).toContain("StrategyType:           RollingUpdate");
      expect(described).toMatch(
        /Normal +ScalingReplicaSet +.*deployment-controller +Scaled up replica set web-\w+ /,
      );
      const pod = await kubectl("describe", "pod", await podName());
      expect(pod).toMatch(/Normal +Scheduled +.*default-scheduler +Successfully assigned/);
      expect(pod).toMatch(/Normal +Started +.*kubelet.* +(Started container web|Container started)/);
      expect(await kubectl("describe", "service", "web")).toMatch(/Endpoints: +\S+:\d+,\S+:\d+/);
      expect(await kubectl("describe", "node", "node-1")).toContain("Allocated resources:");
    });

    test("streams logs, runs commands and forwards ports", async () => {
      const pod = await podName();
      await eventually("the log has a line", async () => (await kubectl("logs", pod)).length > 0);
      expect((await kubectl("logs", pod, "--tail=1")).split("\n").length).toBe(2);
      expect(await kubectl("exec", pod, "--", "echo", "hello")).toBe("hello\n");
      expect((await raw(["exec", pod, "--", "sh", "-c", "exit 7"])).code).toBe(7);
      expect((await raw(["exec", "-i", pod, "--", "cat"], "through stdin")).stdout).toBe("through stdin");
      const port = await freePort();
      const forward = spawn(
        kubectlPath(named),
        ["--kubeconfig", `${cluster.dataDir}/kubeconfig`, "-n", namespace, "port-forward", pod, `${port}:80`],
        { stdio: "ignore" },
      );
      try {
        const answer = await eventually("the forwarded port answers", async () =>
          (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } })).headers.get(
            "x-pod-name",
          ),
        );
        expect(answer).toBe(pod);
      } finally {
        forward.kill();
      }
    });

    test("waits, watches, explains, and says what there is", async () => {
      expect(await kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=30s")).toContain(
        "condition met",
      );
      const watch = spawn(
        kubectlPath(named),
        [
          "--kubeconfig",
          `${cluster.dataDir}/kubeconfig`,
          "-n",
          namespace,
          "get",
          "configmaps",
          "-w",
          "--no-headers",
        ],
        { stdio: ["ignore", "pipe", "ignore"] },
      );
      let seen = "";
      watch.stdout.on("data", (chunk) => {
        seen += chunk;
      });
      await eventually("the watch lists", () => seen.includes("kube-root-ca.crt"));
      await kubectl("create", "configmap", "watched", "--from-literal=a=b");
      await eventually("the watch sees it", () => /^watched +1 /m.test(seen));
      watch.kill();
      expect(await kubectl("explain", "deployment.spec.replicas")).toMatch(/FIELD: replicas <integer>/);
      expect(await kubectl("api-resources")).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m);
      expect(await kubectl("version")).toMatch(/Server Version: .*v1\.36/);
      expect(await kubectl("cluster-info")).toMatch(/Kubernetes control plane.* is running at/);
    });

    test("deletes by name, label, file and all, in each cascade mode", async () => {
      await kubectl("delete", "deployment", "web", "--cascade=orphan");
      expect(
        await kubectl("get", "rs", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.ownerReferences}"),
      ).toBe("");
      await kubectl("delete", "rs", "-l", "app=web", "--cascade=foreground", "--timeout=60s");
      expect(await kubectl("get", "pods", "-l", "app=web", "--no-headers")).toBe("");
      await raw(["apply", "-f", "-"], manifest("again", "nginx", 1));
      expect((await raw(["delete", "-f", "-"], manifest("again", "nginx", 1))).stdout).toContain(
        'deployment.apps "again" deleted',
      );
      await kubectl("delete", "configmaps", "--all");
      expect(await kubectl("delete", "namespace", namespace, "--timeout=60s")).toContain(
        `namespace "${namespace}" deleted`,
      );
      expect((await raw(["get", "namespace", namespace])).code).toBe(1);
    });
  });
});
