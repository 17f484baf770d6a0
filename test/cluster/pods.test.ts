// What a pod's spec may ask of the node, each with real processes: hooks, probes, sidecars, deadlines, messages, files that
// change, host ports.
import { readFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Pod, PodSpec } from "../../src/api/generated/types.ts";
import { type Cluster, eventually, fetchText, hasKubectl, startCluster } from "./harness.ts";

let cluster: Cluster;
let heard: string[] = [];
const listener = http.createServer((request, response) => {
  heard.push(`${request.method} ${request.url}`);
  response.statusCode = request.url === "/fails" ? 500 : 200;
  response.end();
});
const listenerPort = () => (listener.address() as AddressInfo).port;

beforeAll(async () => {
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  if (hasKubectl) cluster = await startCluster({ nodes: 1 });
}, 120_000);
afterAll(async () => {
  listener.close();
  await cluster?.stop();
});

type Spec = Omit<Partial<PodSpec>, "containers"> & { containers?: Partial<PodSpec["containers"][number]>[] };
const sleeper = (script = "sleep 3600") => ({
  name: "main",
  image: "busybox:1.28",
  command: ["sh", "-c", script],
});

async function create(name: string, spec: Spec): Promise<void> {
  const containers = spec.containers ?? [sleeper()];
  const body = { terminationGracePeriodSeconds: 1, ...spec, containers };
  await cluster.apply(JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec: body }));
}
const podOf = async (name: string) =>
  JSON.parse(await cluster.kubectl("get", "pod", name, "-o", "json")) as Pod;
const until = (name: string, what: string, is: (pod: Pod) => boolean | undefined) =>
  eventually(`${name} ${what}`, async () => is(await podOf(name)));
const ready = (name: string) =>
  until(name, "is ready", (pod) =>
    pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
  );
const container = (pod: Pod, index = 0) => pod.status?.containerStatuses?.[index];
const event = (name: string, reason: string) =>
  eventually(`event ${reason} of ${name}`, async () => {
    const selector = `involvedObject.name=${name},reason=${reason}`;
    const found = await cluster.kubectl(
      "get",
      "events",
      "--field-selector",
      selector,
      "-o",
      "jsonpath={.items[*].message}",
    );
    return found || undefined;
  });
const inPod = (name: string, script: string) => cluster.kubectl("exec", name, "--", "sh", "-c", script);
const gone = async (name: string, ...args: string[]) => {
  await cluster.kubectl("delete", "pod", name, "--timeout=60s", ...args);
};

describe.skipIf(!hasKubectl)("lifecycle hooks", () => {
  test("run after the start and before the end: commands, requests and sleeps", async () => {
    const note = join(dirname(cluster.dataDir), "hooks");
    const host = "127.0.0.1";
    const exec = (word: string) => ({ exec: { command: ["sh", "-c", `echo ${word} $HOSTNAME >> ${note}`] } });
    await create("hooked", {
      terminationGracePeriodSeconds: 30,
      containers: [
        { ...sleeper(), lifecycle: { postStart: exec("started"), preStop: exec("stopping") } },
        {
          ...sleeper("trap 'exit 0' TERM; while :; do sleep 0.1; done"),
          name: "web",
          lifecycle: {
            postStart: { httpGet: { host, port: listenerPort(), path: "/started" } },
            preStop: { httpGet: { host, port: listenerPort(), path: "/stopping" } },
          },
        },
        { ...sleeper(), name: "slow", lifecycle: { preStop: { sleep: { seconds: 1 } } } },
      ],
    });
    await ready("hooked");
    expect(readFileSync(note, "utf8")).toBe("started hooked\n");
    expect(heard).toEqual(["GET /started"]);
    const before = Date.now();
    await gone("hooked");
    expect(Date.now() - before).toBeGreaterThan(990);
    expect(readFileSync(note, "utf8")).toBe("started hooked\nstopping hooked\n");
    expect(heard).toEqual(["GET /started", "GET /stopping"]);
    heard = [];
  });

  test("that fail are told, and a failed postStart restarts the container", async () => {
    const fails = { httpGet: { host: "127.0.0.1", port: listenerPort(), path: "/fails" } };
    await create("unhooked", {
      containers: [
        { ...sleeper(), lifecycle: { postStart: { exec: { command: ["false"] } } } },
        { ...sleeper(), name: "other", lifecycle: { preStop: fails } },
      ],
    });
    expect(await event("unhooked", "FailedPostStartHook")).toContain("PostStartHook failed");
    await until("unhooked", "is restarted", (pod) => (container(pod)?.restartCount ?? 0) > 0);
    await gone("unhooked");
    expect(await event("unhooked", "FailedPreStopHook")).toContain("PreStopHook failed");
  });
});

describe.skipIf(!hasKubectl)("volumes", () => {
  test("of a ConfigMap and a Secret follow their objects, all files at once; a subPath does not", async () => {
    const objects = (value: string) => `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: a-${value}, b: b-${value}}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {token: token-${value}}
`;
    await cluster.apply(objects("old"));
    await create("follows", {
      volumes: [
        { name: "settings", configMap: { name: "settings" } },
        { name: "key", secret: { secretName: "key" } },
      ],
      containers: [
        {
          ...sleeper(),
          volumeMounts: [
            { name: "settings", mountPath: "/etc/settings" },
            { name: "key", mountPath: "/etc/key" },
            { name: "settings", mountPath: "/etc/one", subPath: "a" },
          ],
        },
      ],
    });
    await ready("follows");
    const read = () =>
      inPod(
        "follows",
        "cd $KUBEMU_ROOT/etc; for f in settings/a settings/b key/token one; do cat $f; echo; done",
      );
    expect(await read()).toBe("a-old\nb-old\ntoken-old\na-old\n");
    await cluster.apply(objects("new"));
    await eventually("the files follow", async () => (await read()) === "a-new\nb-new\ntoken-new\na-old\n");
    expect((await podOf("follows")).status?.containerStatuses?.[0]?.restartCount).toBe(0);
    await gone("follows");
  });
});

describe.skipIf(!hasKubectl)("ends of containers", () => {
  test("have a message: the file's, or with FallbackToLogsOnError the log's last lines", async () => {
    const script = (words: string, code: number) => `echo logged; ${words} exit ${code}`;
    const toFile = 'echo -n written > "$KUBEMU_ROOT/dev/termination-log";';
    const policy = { terminationMessagePolicy: "FallbackToLogsOnError" };
    await create("speaks", {
      restartPolicy: "Never",
      containers: [
        { ...sleeper(script(toFile, 1)), ...policy, name: "file" },
        { ...sleeper(script("", 1)), ...policy, name: "log" },
        { ...sleeper(script("", 0)), ...policy, name: "well" },
        { ...sleeper(script("", 1)), name: "silent" },
      ],
    });
    await until("speaks", "has ended", ({ status }) => status?.phase === "Failed");
    const messages = (await podOf("speaks")).status?.containerStatuses?.map(({ name, state }) => [
      name,
      state?.terminated?.message,
    ]);
    expect(Object.fromEntries(messages ?? [])).toEqual({
      file: "written",
      log: "logged\n",
      well: undefined,
      silent: undefined,
    });
  });

  test("come with the pod's deadline", async () => {
    await create("late", { activeDeadlineSeconds: 1, containers: [sleeper()] });
    await until("late", "has failed", ({ status }) => status?.phase === "Failed");
    const { status } = await podOf("late");
    expect(status).toMatchObject({
      reason: "DeadlineExceeded",
      message: "Pod was active on the node longer than the specified deadline",
    });
    expect(await event("late", "DeadlineExceeded")).toContain("longer than the specified deadline");
    expect(container(await podOf("late"))?.state?.terminated?.exitCode).toBe(143);
  });

  test("are not waited for longer than asked: delete's grace period, a probe's own", async () => {
    const stubborn = "trap '' TERM; echo up; while :; do sleep 0.1; done";
    await create("stubborn", { terminationGracePeriodSeconds: 3600, containers: [sleeper(stubborn)] });
    const livenessProbe = {
      exec: { command: ["false"] },
      periodSeconds: 1,
      failureThreshold: 1,
      terminationGracePeriodSeconds: 1,
    };
    await create("probed", {
      terminationGracePeriodSeconds: 3600,
      containers: [{ ...sleeper(stubborn), livenessProbe }],
    });
    await ready("stubborn");
    await gone("stubborn", "--grace-period=1");
    await create("hurried", { terminationGracePeriodSeconds: 3600, containers: [sleeper(stubborn)] });
    await ready("hurried");
    await cluster.kubectl("delete", "pod", "hurried", "--wait=false");
    await gone("hurried", "--grace-period=1");
    await until("probed", "is restarted", (pod) => container(pod)?.lastState?.terminated?.exitCode === 137);
    await gone("probed", "--grace-period=0", "--force");
  });
});

describe.skipIf(!hasKubectl)("a command that names the image's own program", () => {
  test("is the built-in one, with what follows it; another command is a program of this machine", async () => {
    const image = "registry.k8s.io/e2e-test-images/agnhost:2.53";
    await create("own", {
      containers: [{ name: "main", image, command: ["/agnhost", "netexec"], args: ["--http-port=8081"] }],
    });
    await create("other", { containers: [{ name: "main", image, command: ["/agnhost-2", "netexec"] }] });
    await ready("own");
    const { podIP } = (await podOf("own")).status ?? {};
    const answer = () => fetchText(`http://${podIP}:8081/hostname`).then(({ text }) => text === "own");
    await eventually("it serves", answer);
    await eventually("the other one cannot be started", async () => {
      const { waiting, terminated } = container(await podOf("other"))?.lastState ?? {};
      return (waiting ?? terminated)?.reason === "StartError";
    });
  });
});

describe.skipIf(!hasKubectl)("a container whose ConfigMap is not there", () => {
  test("waits, says so at every try, and starts once it is", async () => {
    const main = { ...sleeper(), envFrom: [{ configMapRef: { name: "late" } }] };
    await create("waiting", { containers: [main] });
    await eventually("a second try is told", async () => {
      const selector = "involvedObject.name=waiting,reason=Failed";
      const counts = "jsonpath={.items[*].count} {.items[*].message}";
      const told = await cluster.kubectl("get", "events", "--field-selector", selector, "-o", counts);
      return /^([2-9]|\d{2,}) Error: configmap "late" not found$/.test(told.trim());
    });
    expect(container(await podOf("waiting"))?.state?.waiting?.reason).toBe("CreateContainerConfigError");
    await cluster.kubectl("create", "configmap", "late", "--from-literal=A=1");
    await ready("waiting");
  });
});

describe.skipIf(!hasKubectl)("sidecars", () => {
  test("start before what comes after them, run beside it, and end when it has ended", async () => {
    const root = join(dirname(cluster.dataDir), "order");
    const note = (word: string) => `echo ${word} >> ${root};`;
    const helper = (name: string, rest: object = {}) => ({
      ...sleeper(
        `${note(name)} touch $KUBEMU_ROOT/up; trap '${note(`${name}-ends`)} exit 0' TERM; while :; do sleep 0.05; done`,
      ),
      name,
      restartPolicy: "Always",
      ...rest,
    });
    const startupProbe = { exec: { command: ["sh", "-c", "test -e $KUBEMU_ROOT/up"] }, periodSeconds: 1 };
    await create("crew", {
      terminationGracePeriodSeconds: 30,
      restartPolicy: "Never",
      initContainers: [
        helper("first", { startupProbe }),
        { ...sleeper(note("init")), name: "once" },
        helper("second", { startupProbe }),
      ],
      containers: [sleeper(`${note("main")} sleep 1`)],
    });
    await until("crew", "has ended", ({ status }) => status?.phase === "Succeeded");
    expect(readFileSync(root, "utf8").split("\n").filter(Boolean)).toEqual([
      "first",
      "init",
      "second",
      "main",
      "second-ends",
      "first-ends",
    ]);
    const { status } = await podOf("crew");
    expect(status?.initContainerStatuses?.map(({ state }) => state?.terminated?.exitCode)).toEqual([0, 0, 0]);
    expect(await cluster.kubectl("get", "pod", "crew")).toMatch(/crew\s+0\/3\s+Completed/);
  });

  test("come back when they end, with the pod running on", async () => {
    const side = { ...sleeper("sleep 0.2; exit 1"), name: "side", restartPolicy: "Always" };
    await create("weak", { initContainers: [side] });
    await until(
      "weak",
      "has a sidecar restarted",
      ({ status }) => (status?.initContainerStatuses?.[0]?.restartCount ?? 0) > 0,
    );
    expect(container(await podOf("weak"))?.restartCount).toBe(0);
    await gone("weak");
  });
});

describe.skipIf(!hasKubectl)("probes", () => {
  const every = { periodSeconds: 1, failureThreshold: 1 };
  const handlers = {
    exec: { exec: { command: ["sh", "-c", "test -e $KUBEMU_ROOT/up"] } },
    http: { httpGet: { port: "web", path: "/hostname" } },
    tcp: { tcpSocket: { port: 8080 } },
    grpc: { grpc: { port: 5000 } },
  };
  const served = {
    image: "registry.k8s.io/e2e-test-images/agnhost:2.40",
    ports: [{ name: "web", containerPort: 8080 }, { containerPort: 5000 }],
  };

  test("of each type make a container ready", async () => {
    const web = (name: string, command: string, probe: object) => ({
      ...served,
      name,
      args: [command],
      readinessProbe: { ...probe, ...every },
    });
    await create("by-exec", {
      containers: [
        { ...sleeper("touch $KUBEMU_ROOT/up; sleep 3600"), readinessProbe: { ...handlers.exec, ...every } },
      ],
    });
    await create("by-http", { containers: [web("main", "netexec", handlers.http)] });
    await create("by-tcp", { containers: [web("main", "netexec", handlers.tcp)] });
    await create("by-grpc", { containers: [web("main", "grpc-health-checking", handlers.grpc)] });
    for (const name of ["by-exec", "by-http", "by-tcp", "by-grpc"]) await ready(name);
    await inPod("by-exec", "rm $KUBEMU_ROOT/up");
    await inPod("by-grpc", "curl -s http://$POD_IP:8080/make-not-serving");
    for (const name of ["by-exec", "by-grpc"]) {
      await until(name, "is unready", (pod) => container(pod)?.ready === false);
      expect(await event(name, "Unhealthy")).toContain("Readiness probe failed: ");
    }
    expect(await event("by-grpc", "Unhealthy")).toContain('service unhealthy (responded with "NOT_SERVING")');
    await inPod("by-grpc", "curl -s http://$POD_IP:8080/make-serving");
    await ready("by-grpc");
    await gone("by-exec", "by-http", "by-tcp", "by-grpc");
  });

  test("of each type end a container that they find dead", async () => {
    const dead = { httpGet: { port: 8080, path: "/echo?code=503" } };
    const cases = {
      exec: handlers.exec,
      http: dead,
      tcp: { tcpSocket: { port: 5000 } },
      grpc: { grpc: { port: 8080 } },
    };
    for (const [type, probe] of Object.entries(cases))
      await create(`dead-${type}`, {
        containers: [{ ...served, name: "main", args: ["netexec"], livenessProbe: { ...probe, ...every } }],
      });
    await create("never-up", {
      containers: [{ ...sleeper(), startupProbe: { ...handlers.exec, ...every } }],
    });
    for (const name of [...Object.keys(cases).map((type) => `dead-${type}`), "never-up"]) {
      await until(name, "is restarted", (pod) => (container(pod)?.restartCount ?? 0) > 0);
      const kind = name === "never-up" ? "startup" : "liveness";
      expect(await event(name, "Killing")).toContain(
        `Container main failed ${kind} probe, will be restarted`,
      );
    }
    expect(await event("dead-http", "Unhealthy")).toContain("HTTP probe failed with statuscode: 503");
  });
});

describe.skipIf(!hasKubectl)("host ports", () => {
  test("are forwarded from the node's address while the pod is there; one that is taken is told", async () => {
    const [node] = (await cluster.status()).nodes;
    const address = await cluster.kubectl(
      "get",
      "node",
      node?.name ?? "",
      "-o",
      'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}',
    );
    const ports = [
      { containerPort: 80, hostPort: 18_080 },
      { containerPort: 81, hostPort: listenerPort(), hostIP: "127.0.0.1" },
    ];
    await create("hosted", { containers: [{ name: "main", image: "nginx", ports }] });
    await ready("hosted");
    const url = `http://${address}:18080/`;
    const { headers, text } = await fetchText(url);
    expect(headers.get("x-pod-name")).toBe("hosted");
    expect(text).toContain("Welcome to nginx!");
    expect(await event("hosted", "HostPortUnavailable")).toBe(
      `Host port 127.0.0.1:${listenerPort()} cannot be listened on: address already in use`,
    );
    await gone("hosted");
    await expect(fetchText(url)).rejects.toThrow();
  });
});
