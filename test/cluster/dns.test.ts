// The cluster's names, as pods see them, with real kubectl: what tutorials print, and that names go on when processes are killed.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allProxiesOf, type Cluster, eventually, run, startCluster } from "./harness.ts";

const WEB = `
apiVersion: v1
kind: Service
metadata: {name: nginx}
spec: {clusterIP: None, selector: {app: nginx}, ports: [{port: 80, name: web}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: nginx}, ports: [{port: 80, name: web}]}
---
apiVersion: v1
kind: Service
metadata: {name: docs}
spec: {type: ExternalName, externalName: web.default.svc.cluster.local}
---
apiVersion: v1
kind: Pod
metadata: {name: web-0, labels: {app: nginx}}
spec:
  hostname: web-0
  subdomain: nginx
  containers: [{name: nginx, image: "nginx:1.29", ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  terminationGracePeriodSeconds: 0
  hostAliases: [{ip: 192.0.2.7, hostnames: [foo.remote]}]
  containers: [{name: box, image: "busybox:1.28", command: [sleep, "3600"]}]
`;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ nodes: 2 });
  await cluster.apply(WEB);
  await cluster.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s");
}, 120_000);
afterAll(() => cluster?.stop());

const inPod = (...command: string[]) => cluster.kubectl("exec", "client", "--", ...command);
const ipOf = (what: string, path: string) =>
  cluster.kubectl("get", ...what.split(" "), "-o", `jsonpath=${path}`);

describe("names", () => {
  test("kube-dns is a Service with an endpoint, and cluster-info lists it", async () => {
    expect(await cluster.kubectl("get", "service", "-n", "kube-system")).toMatch(
      /kube-dns\s+ClusterIP\s+\S+\.10\s+<none>\s+53\/UDP,53\/TCP/,
    );
    expect(await cluster.kubectl("get", "endpoints", "kube-dns", "-n", "kube-system")).toMatch(
      /kube-dns\s+\S+:\d+/,
    );
    expect(await cluster.kubectl("cluster-info")).toContain("CoreDNS is running at");
  });

  test("run -i --rm busybox nslookup prints what the StatefulSet tutorial prints", async () => {
    const pod = await ipOf("pod web-0", "{.status.podIP}");
    const server = await ipOf("service kube-dns -n kube-system", "{.spec.clusterIP}");
    for (const version of ["1.27", undefined]) {
      const name = `dns-test-${version?.replace(".", "-") ?? "new"}`;
      const { stdout } = await cluster.tryKubectl(
        [
          "run",
          "-i",
          "--rm",
          name,
          "--image=busybox:1.28",
          "--restart=Never",
          "--",
          "nslookup",
          "web-0.nginx",
        ],
        version === undefined ? {} : { version },
      );
      expect(stdout).toContain(
        `Server:    ${server}\nAddress 1: ${server} kube-dns.kube-system.svc.cluster.local\n\nName:      web-0.nginx\nAddress 1: ${pod} web-0.nginx.default.svc.cluster.local\n`,
      );
    }
  });

  test("wget, curl and hostname know the cluster", async () => {
    expect(await inPod("wget", "-qO-", "http://web")).toContain("Welcome to nginx!");
    expect(await inPod("sh", "-c", "curl -s http://web.default.svc.cluster.local | grep h1")).toContain(
      "nginx",
    );
    expect(await inPod("wget", "-qO-", "http://web-0.nginx")).toContain("Welcome to nginx!");
    expect(await cluster.kubectl("exec", "web-0", "--", "hostname", "-f")).toBe(
      "web-0.nginx.default.svc.cluster.local\n",
    );
  });

  test("an ExternalName Service is followed, and hostAliases are known", async () => {
    const address = await ipOf("service web", "{.spec.clusterIP}");
    expect(await inPod("nslookup", "docs")).toContain(`Address 1: ${address} web.default.svc.cluster.local`);
    expect(await inPod("nslookup", "foo.remote")).toContain("Address 1: 192.0.2.7");
  });

  test("a Node program gets them without knowing", async () => {
    const source = 'fetch("http://web").then((r) => console.log(r.status, r.headers.get("x-pod-name")))';
    expect(await inPod("node", "-e", source)).toBe("200 web-0\n");
  });

  test("what does not exist is said so", async () => {
    const { code, stderr } = await cluster.tryKubectl(["exec", "client", "--", "nslookup", "nobody.default"]);
    expect(code).toBe(1);
    expect(stderr).toContain("nslookup: can't resolve 'nobody.default'");
  });

  test("a pod's new address is told as soon as it is ready", async () => {
    await cluster.kubectl("delete", "pod", "web-0", "--now");
    await cluster.apply(WEB);
    await cluster.kubectl("wait", "--for=condition=Ready", "pod/web-0", "--timeout=60s");
    const address = await ipOf("pod web-0", "{.status.podIP}");
    await eventually("the new address", async () =>
      (await inPod("nslookup", "web-0.nginx")).includes(address),
    );
  });
});

test("go on while the control plane is killed, and with either proxy worker killed", async () => {
  const root = await inPod("sh", "-c", "echo $KUBEMU_ROOT $PATH $KUBEMU_DNS $KUBEMU_DNS_SERVICE");
  const [KUBEMU_ROOT = "", PATH = "", KUBEMU_DNS = "", KUBEMU_DNS_SERVICE = ""] = root.trim().split(" ");
  expect(readFileSync(`${KUBEMU_ROOT}/etc/resolv.conf`, "utf8")).toContain("options ndots:5");
  // The pod's own program, without the API server in between.
  const env = { PATH, KUBEMU_ROOT, KUBEMU_DNS, KUBEMU_DNS_SERVICE };
  const nslookup = () => run(`${PATH.split(":")[0]}/nslookup`, ["web.default"], { env });
  const pids = await cluster.status();
  process.kill(pids.controlPlane.pid, "SIGKILL");
  expect((await nslookup()).code).toBe(0);
  const workers = await allProxiesOf(cluster.dataDir);
  for (const worker of workers) {
    process.kill(worker, "SIGKILL");
    await eventually("names are answered", async () => (await nslookup()).code === 0);
    await eventually("the worker is replaced", async () => {
      const { proxy } = await cluster.status();
      const now = (proxy as unknown as { workers: number[] }).workers;
      return now.length === workers.length && !now.includes(worker);
    });
  }
  await eventually(
    "the control plane is back",
    async () => (await cluster.tryKubectl(["get", "nodes"])).code === 0,
  );
});
