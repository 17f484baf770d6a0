// @kubernetes/client-node, as it is published, against a cluster: what a program or an operator written with it needs.
import { connect as connectTo, createServer } from "node:net";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import {
  AppsV1Api,
  Attach,
  CoreV1Api,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  makeInformer,
  PatchStrategy,
  PortForward,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Deployment,
  type V1Pod,
  type V1Status,
  Watch,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, eventually, startCluster } from "./harness.ts";

const namespace = "default";
let cluster: Cluster;
let config: KubeConfig;
let core: CoreV1Api;

const web = (): V1Deployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "web", image: "nginx:1.27", ports: [{ containerPort: 80 }] }] },
    },
  },
});

const webPod = () =>
  eventually("a ready pod", async () => {
    const { items } = await core.listNamespacedPod({ namespace, labelSelector: "app=web" });
    return items.find(({ status }) =>
      status?.conditions?.some((each) => each.type === "Ready" && each.status === "True"),
    )?.metadata?.name;
  });

/** Everything that is written to it, as text. */
function collector(): { stream: PassThrough; text(): string } {
  const stream = new PassThrough();
  let seen = "";
  stream.on("data", (chunk: Buffer) => {
    seen += chunk;
  });
  return { stream, text: () => seen };
}

beforeAll(async () => {
  cluster = await startCluster({ nodes: 2 });
  config = new KubeConfig();
  config.loadFromFile(join(cluster.dataDir, "kubeconfig"));
  core = config.makeApiClient(CoreV1Api);
  await config.makeApiClient(AppsV1Api).createNamespacedDeployment({ namespace, body: web() });
  await webPod();
});
afterAll(() => cluster?.stop());

test("an informer lists, follows changes, and goes on without a gap after the control plane was killed", async () => {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const informer = makeInformer<V1ConfigMap>(config, path, () => core.listNamespacedConfigMap({ namespace }));
  const seen: string[] = [];
  informer.on("add", ({ metadata }) => seen.push(`add ${metadata?.name}`));
  informer.on("update", ({ metadata, data }) => seen.push(`update ${metadata?.name} ${data?.["n"]}`));
  informer.on("delete", ({ metadata }) => seen.push(`delete ${metadata?.name}`));
  // The client's own advice: start again after an error.
  informer.on("error", () => setTimeout(() => void informer.start(), 50));
  const sees = (what: string) => eventually(`the informer says ${what}`, () => seen.includes(what));
  try {
    await informer.start();
    await sees("add kube-root-ca.crt");
    await core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name: "one" }, data: { n: "1" } },
    });
    await sees("add one");
    await core.replaceNamespacedConfigMap({
      namespace,
      name: "one",
      body: { metadata: { name: "one" }, data: { n: "2" } },
    });
    await sees("update one 2");

    const { controlPlane } = await cluster.status();
    process.kill(controlPlane.pid, "SIGKILL");
    await eventually("the API answers again", () =>
      core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "two" } } }),
    );
    await sees("add two");
    await core.deleteNamespacedConfigMap({ namespace, name: "one" });
    await sees("delete one");
    expect(
      informer
        .list(namespace)
        ?.map(({ metadata }) => metadata?.name)
        .sort(),
    ).toEqual(["kube-root-ca.crt", "two"]);
  } finally {
    await informer.stop();
  }
});

test("a watch resumes from the resourceVersion that it is given", async () => {
  const made = await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "resumed" } } });
  await core.deleteNamespacedConfigMap({ namespace, name: "resumed" });
  const phases: string[] = [];
  const controller = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    { resourceVersion: made.metadata?.resourceVersion, fieldSelector: "metadata.name=resumed" },
    (phase) => phases.push(phase),
    () => {},
  );
  await eventually("the deletion is seen", () => phases.length > 0);
  controller.abort();
  expect(phases).toEqual(["DELETED"]);
});

test("lists come in pages", async () => {
  const first = await core.listNamespacedPod({ namespace, limit: 1 });
  expect(first.items.length).toBe(1);
  const second = await core.listNamespacedPod({
    namespace,
    limit: 1,
    _continue: first.metadata?._continue ?? "",
  });
  expect(second.items[0]?.metadata?.name).not.toBe(first.items[0]?.metadata?.name);
  expect(second.metadata?._continue).toBeUndefined();
});

test("exec passes both outputs, standard input and the exit code", async () => {
  const [out, err] = [collector(), collector()];
  const status = await new Promise<V1Status>((resolve, reject) => {
    new Exec(config)
      .exec(
        namespace,
        podName,
        "web",
        ["sh", "-c", "cat; echo oops >&2; exit 3"],
        out.stream,
        err.stream,
        Readable.from(["given"]),
        false,
        resolve,
      )
      .catch(reject);
  });
  expect(out.text()).toBe("given");
  expect(err.text()).toBe("oops\n");
  expect(status.status).toBe("Failure");
  expect(status.details?.causes?.[0]).toMatchObject({ reason: "ExitCode", message: "3" });
});
let podName = "";
beforeAll(async () => {
  podName = await webPod();
});

test("logs are read and followed, attach hears what comes next", async () => {
  const body: V1Pod = {
    metadata: { name: "talker" },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: "talker",
          image: "busybox",
          command: ["sh", "-c", "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.1; done"],
        },
      ],
    },
  };
  await core.createNamespacedPod({ namespace, body });
  await eventually("it talks", async () =>
    (await core.readNamespacedPodLog({ namespace, name: "talker" })).startsWith("line 1\nline 2\n"),
  );
  expect(await core.readNamespacedPodLog({ namespace, name: "talker", tailLines: 1 })).toMatch(
    /^line \d+\n$/,
  );

  const followed = collector();
  const following = await new Log(config).log(namespace, "talker", "talker", followed.stream, {
    follow: true,
  });
  await eventually("the log is followed", () => /^line 1\n(line \d+\n)+$/.test(followed.text()));
  const soFar = followed.text().length;
  await eventually("and goes on", () => followed.text().length > soFar);
  following.abort();

  const attached = collector();
  const socket = await new Attach(config).attach(
    namespace,
    "talker",
    "talker",
    attached.stream,
    null,
    null,
    false,
  );
  await eventually("attach hears it", () => /line \d+\n/.test(attached.text()));
  socket.close();
  await core.deleteNamespacedPod({ namespace, name: "talker" });
});

test("port-forward carries a request and its answer", async () => {
  const forward = new PortForward(config);
  const server = createServer(
    (socket) => void forward.portForward(namespace, podName, [80], socket, null, socket),
  );
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)),
  );
  try {
    const answer = collector();
    const socket = connectTo(port, "127.0.0.1");
    socket.pipe(answer.stream);
    socket.write("GET / HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n");
    await eventually("the pod answers", () => answer.text().startsWith("HTTP/1.1 200 OK\r\n"));
    expect(answer.text().toLowerCase()).toContain(`x-pod-name: ${podName}`);
    socket.destroy();
  } finally {
    server.close();
  }
});

test("server-side apply owns its fields, and another manager is told of the conflict", async () => {
  const objects = KubernetesObjectApi.makeApiClient(config);
  const wanted = (value: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "applied", namespace },
    data: { key: value },
  });
  const apply = (value: string, manager: string, force = false) =>
    objects.patch(wanted(value), undefined, undefined, manager, force, PatchStrategy.ServerSideApply);
  await apply("one", "first");
  const made = await core.readNamespacedConfigMap({ namespace, name: "applied" });
  expect(made.metadata?.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`)).toEqual([
    "first Apply",
  ]);
  await expect(apply("two", "second")).rejects.toMatchObject({ code: 409 });
  await apply("two", "second", true);
  expect((await core.readNamespacedConfigMap({ namespace, name: "applied" })).data).toEqual({ key: "two" });
});

test("each patch strategy changes what it names", async () => {
  const apps = config.makeApiClient(AppsV1Api);
  const patch = (body: object, type: PatchStrategy) =>
    apps.patchNamespacedDeployment({ namespace, name: "web", body }, setHeaderOptions("Content-Type", type));
  await patch([{ op: "add", path: "/metadata/labels", value: { by: "json" } }], PatchStrategy.JsonPatch);
  await patch({ metadata: { labels: { also: "merge" } } }, PatchStrategy.MergePatch);
  const container = { name: "web", env: [{ name: "A", value: "1" }] };
  const patched = await patch(
    { spec: { template: { spec: { containers: [container] } } } },
    PatchStrategy.StrategicMergePatch,
  );
  expect(patched.metadata?.labels).toEqual({ by: "json", also: "merge" });
  expect(patched.spec?.template.spec?.containers).toMatchObject([
    { name: "web", image: "nginx:1.27", env: [{ name: "A", value: "1" }] },
  ]);
});

test("errors are Kubernetes' own Status", async () => {
  const missing = core.readNamespacedPod({ namespace, name: "absent" });
  await expect(missing).rejects.toMatchObject({
    code: 404,
    body: expect.stringContaining('pods \\"absent\\" not found'),
  });
  const invalid = core.createNamespacedPod({
    namespace,
    body: { metadata: { name: "Bad_" }, spec: { containers: [] } },
  });
  await expect(invalid).rejects.toMatchObject({
    code: 422,
    body: expect.stringContaining("spec.containers"),
  });
});
