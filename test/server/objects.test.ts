import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ConfigMap, Pod, PriorityClass } from "../../src/api/generated/types.ts";
import { configMaps } from "../../src/api/kinds/config-map.ts";
import { deployments } from "../../src/api/kinds/deployment.ts";
import { events } from "../../src/api/kinds/event.ts";
import { namespaces } from "../../src/api/kinds/namespace.ts";
import { nodes } from "../../src/api/kinds/node.ts";
import { pods } from "../../src/api/kinds/pod.ts";
import { priorityClasses } from "../../src/api/kinds/priority-class.ts";
import { serviceAccounts } from "../../src/api/kinds/service-account.ts";
import type { Draft } from "../../src/api/object.ts";
import { StatusError } from "../../src/api/status-error.ts";
import { startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.stop();
});

const configMap = (name: string, data: Record<string, string> = { a: "1" }): Draft<ConfigMap> => ({
  metadata: { name, namespace: "default" },
  data,
});
const pod = (name: string, more: Draft<Pod["spec"]> = {}): Draft<Pod> => ({
  metadata: { name, namespace: "default" },
  spec: { containers: [{ name: "main", image: "nginx" }], ...more },
});
const at = (name: string) => ({ namespace: "default", name });

async function refusal(promise: Promise<unknown>): Promise<StatusError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StatusError);
  return error as StatusError;
}

describe("create", () => {
  test("fills in what the server owns, and drops status", async () => {
    const made = await server.client.create(deployments, {
      metadata: { name: "web", namespace: "default", uid: "mine", resourceVersion: "", generation: 7 },
      spec: {
        selector: { matchLabels: { a: "b" } },
        template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } },
      },
      status: { replicas: 9 },
    });
    expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.metadata.generation).toBe(1);
    expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(made.status).toEqual({});
    expect(made.metadata.managedFields?.map(({ manager, operation }) => [manager, operation])).toEqual([
      ["test", "Update"],
    ]);
    expect(JSON.stringify(made.metadata.managedFields)).not.toContain("f:status");
  });

  test("of what was read elsewhere is refused while it has a resourceVersion", async () => {
    const metadata = { name: "copied", namespace: "default" };
    const send = (resourceVersion: string) =>
      server.client.create(configMaps, { metadata: { ...metadata, resourceVersion } });
    const { code, reason, message } = await refusal(send("7"));
    expect([code, reason, message]).toEqual([
      500,
      "",
      "resourceVersion should not be set on objects to be created",
    ]);
    expect((await send("0")).metadata.resourceVersion).not.toBe("0");
    await server.client.delete(configMaps, metadata);
  });

  test("of a name that exists is AlreadyExists", async () => {
    await server.client.create(configMaps, configMap("twice"));
    const error = await refusal(server.client.create(configMaps, configMap("twice")));
    expect([error.code, error.reason, error.message]).toEqual([
      409,
      "AlreadyExists",
      'configmaps "twice" already exists',
    ]);
  });

  test("makes names of generateName from Kubernetes' alphabet", async () => {
    const draft = { metadata: { generateName: "job-", namespace: "default" } };
    const made = await server.client.create(configMaps, draft);
    expect(made.metadata.name).toMatch(/^job-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  test("needs a name and a namespace that is there", async () => {
    const nameless = await refusal(server.client.create(configMaps, { metadata: { namespace: "default" } }));
    expect(nameless.message).toBe(
      'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    );
    const lost = await refusal(
      server.client.create(configMaps, { metadata: { name: "a", namespace: "nowhere" } }),
    );
    expect([lost.code, lost.message]).toEqual([404, 'namespaces "nowhere" not found']);
  });

  test("forgets the namespace of what is in none, however it is written", async () => {
    const metadata = { name: "urgent", namespace: "default" };
    const draft = { metadata, value: 1 };
    expect((await server.client.create(priorityClasses, draft)).metadata.namespace).toBeUndefined();
    const { apiVersion, kind } = await server.client.get(priorityClasses, metadata);
    const document = { apiVersion, kind, metadata, value: 1, description: "put" };
    const path = "/apis/scheduling.k8s.io/v1/priorityclasses/urgent";
    const put = await server.transport.request({ method: "PUT", path, body: document });
    const patched = await server.transport.request({
      method: "PATCH",
      path,
      contentType: "application/merge-patch+json",
      body: { metadata: { namespace: "default" }, description: "patched" },
    });
    const applied = await server.transport.request({
      method: "PATCH",
      path,
      query: { fieldManager: "me", force: true },
      contentType: "application/apply-patch+yaml",
      body: { ...document, description: "applied" },
    });
    for (const [{ status, body }, description] of [
      [put, "put"],
      [patched, "patched"],
      [applied, "applied"],
    ] as const) {
      expect([status, (body as PriorityClass).description]).toEqual([200, description]);
      expect((body as PriorityClass).metadata.namespace).toBeUndefined();
    }
  });

  test("refuses a namespace other than the URL's", async () => {
    const { status, body } = await server.transport.request({
      method: "POST",
      path: "/api/v1/namespaces/default/configmaps",
      body: { metadata: { name: "a", namespace: "other" } },
    });
    expect([status, (body as { message: string }).message]).toEqual([
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ]);
  });

  test("as a dry run stores nothing and has no resourceVersion", async () => {
    const before = server.store.revision;
    const made = await server.client.create(configMaps, configMap("dry"), { dryRun: true });
    expect(made.metadata.uid).toBeTruthy();
    expect(made.metadata.resourceVersion).toBeUndefined();
    expect(server.store.revision).toBe(before);
    expect(await server.client.find(configMaps, at("dry"))).toBeUndefined();
  });

  test("of a node keeps the status that its agent sends", async () => {
    const made = await server.client.create(nodes, {
      metadata: { name: "n1" },
      status: { capacity: { cpu: "4" } },
    });
    expect(made.status?.capacity).toEqual({ cpu: "4" });
  });

  test("warns of unknown fields, or refuses them when told to", async () => {
    const odd = { ...configMap("odd"), datta: {} } as Draft<ConfigMap>;
    const warnings: string[] = [];
    await server.client.create(configMaps, odd, { onWarnings: (texts) => warnings.push(...texts) });
    expect(warnings).toEqual(['unknown field "datta"']);
    const error = await refusal(server.client.create(configMaps, odd, { fieldValidation: "Strict" }));
    expect([error.code, error.message]).toEqual([
      400,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "datta"',
    ]);
    await server.client.delete(configMaps, at("odd"));
    await server.client.create(configMaps, odd, {
      fieldValidation: "Ignore",
      onWarnings: (texts) => warnings.push(...texts),
    });
    expect(warnings).toHaveLength(1);
  });
});

describe("update", () => {
  test("with an old resourceVersion is a Conflict, without one it wins", async () => {
    const made = await server.client.create(configMaps, configMap("race"));
    await server.client.update(configMaps, { ...made, data: { a: "2" } });
    const error = await refusal(server.client.update(configMaps, { ...made, data: { a: "3" } }));
    expect([error.code, error.message]).toEqual([
      409,
      'Operation cannot be fulfilled on configmaps "race": the object has been modified; please apply your changes to the latest version and try again',
    ]);
    const { resourceVersion: _, ...metadata } = made.metadata;
    const forced = { ...made, metadata, data: { a: "4" } } as unknown as ConfigMap;
    expect((await server.client.update(configMaps, forced)).data).toEqual({ a: "4" });
  });

  test("of another object of that name is refused by its uid", async () => {
    const made = await server.client.create(configMaps, configMap("uid"));
    const other = { ...made, metadata: { ...made.metadata, uid: "other", resourceVersion: "" } };
    const error = await refusal(server.client.update(configMaps, other));
    expect(error.message).toContain(
      `Precondition failed: UID in precondition: other, UID in object meta: ${made.metadata.uid}`,
    );
  });

  test("that changes nothing writes nothing", async () => {
    const made = await server.client.create(configMaps, configMap("same"));
    const again = await server.client.update(configMaps, made);
    expect(again.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });

  test("counts generation for spec only, and keeps status and spec apart", async () => {
    const made = await server.client.get(deployments, at("web"));
    const status = { ...made, spec: { ...made.spec, replicas: 9 }, status: { replicas: 3 } };
    const reported = await server.client.updateStatus(deployments, status);
    expect([reported.spec.replicas, reported.status?.replicas, reported.metadata.generation]).toEqual([
      1, 3, 1,
    ]);
    const scaled = await server.client.update(deployments, {
      ...reported,
      spec: { ...reported.spec, replicas: 2 },
      status: { replicas: 0 },
    });
    expect([scaled.spec.replicas, scaled.status?.replicas, scaled.metadata.generation]).toEqual([2, 3, 2]);
  });

  test("counts a Deployment's annotations, which its ReplicaSets copy, unless they are written with its status", async () => {
    const note = (text: string, options = {}) =>
      server.client.patch(deployments, at("web"), "merge", { metadata: { annotations: { text } } }, options);
    const before = await server.client.get(deployments, at("web"));
    const generation = before.metadata.generation ?? 0;
    expect((await note("a")).metadata.generation).toBe(generation + 1);
    const reported = await note("b", { subresource: "status" });
    expect(reported.metadata).toMatchObject({ annotations: { text: "b" }, generation: generation + 1 });
    const labelled = { metadata: { labels: { text: "c" } } };
    const patched = await server.client.patch(deployments, at("web"), "merge", labelled);
    expect(patched.metadata.generation).toBe(generation + 1);
  });

  test("of what is not there is NotFound", async () => {
    const error = await refusal(
      server.client.update(configMaps, configMap("missing") as unknown as ConfigMap),
    );
    expect([error.code, error.message]).toEqual([404, 'configmaps "missing" not found']);
  });
});

describe("patch", () => {
  test("takes all four kinds", async () => {
    await server.client.create(configMaps, configMap("patched", { a: "1", b: "2" }));
    const patch = (...args: [Parameters<typeof server.client.patch>[2], unknown]) =>
      server.client.patch(configMaps, at("patched"), ...args);
    expect((await patch("json", [{ op: "remove", path: "/data/b" }])).data).toEqual({ a: "1" });
    expect((await patch("merge", { data: { a: null, c: "3" } })).data).toEqual({ c: "3" });
    expect((await patch("strategic", { data: { d: "4" } })).data).toEqual({ c: "3", d: "4" });
    const applied = await server.client.patch(
      configMaps,
      at("patched"),
      "apply",
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "patched" }, data: { e: "5" } },
      { fieldManager: "applier" },
    );
    expect(applied.data).toEqual({ c: "3", d: "4", e: "5" });
  });

  test("apply creates, and a conflict names the other manager", async () => {
    const body = (value: string) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "applied" },
      data: { a: value },
    });
    const apply = (value: string, fieldManager: string, force = false) =>
      server.client.patch(configMaps, at("applied"), "apply", body(value), { fieldManager, force });
    await apply("1", "one");
    const error = await refusal(apply("2", "two"));
    expect([error.code, error.message]).toEqual([
      409,
      'Apply failed with 1 conflict: conflict with "one": .data.a',
    ]);
    expect((await apply("2", "two", true)).data).toEqual({ a: "2" });
  });

  test("concurrent patches never conflict and none is lost", async () => {
    await server.client.create(configMaps, configMap("busy", {}));
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        server.client.patch(configMaps, at("busy"), "merge", { data: { [`k${i}`]: "x" } }),
      ),
    );
    expect(Object.keys((await server.client.get(configMaps, at("busy"))).data ?? {})).toHaveLength(40);
  });

  test("an unknown field makes the patch invalid when told to be strict", async () => {
    await server.client.create(configMaps, configMap("strict"));
    const options = { fieldValidation: "Strict" as const };
    const error = await refusal(
      server.client.patch(configMaps, at("strict"), "merge", { datta: {} }, options),
    );
    expect([error.code, error.reason]).toEqual([422, "Invalid"]);
    expect(error.message).toContain('strict decoding error: unknown field "datta"');
  });

  test.each<["merge" | "strategic", unknown, RegExp]>([
    [
      "merge",
      { spec: { replicas: "3" } },
      /: json: cannot unmarshal string into Go struct field .*replicas of type int32$/,
    ],
    [
      "strategic",
      { spec: { replicas: "3" } },
      /: "map\[spec:map\[replicas:3\]\]": unrecognized type: int32$/,
    ],
    [
      "strategic",
      { metadata: { labels: { b: 1, a: null } } },
      /: "map\[metadata:map\[labels:map\[a:<nil> b:1\]\]\]": cannot convert int64 to string$/,
    ],
    ["strategic", { spec: { paused: "no" } }, /unrecognized type: bool$/],
    [
      "strategic",
      { spec: { strategy: [] } },
      /"map\[spec:map\[strategy:\[\]\]\]": cannot restore struct from: slice$/,
    ],
  ])("%s with a value of the wrong type is invalid itself: %j", async (type, patch, message) => {
    const error = await refusal(server.client.patch(deployments, at("web"), type, patch));
    expect([error.code, error.reason]).toEqual([422, "Invalid"]);
    expect(error.message).toMatch(message);
  });

  test("that applies what is not typed is refused, but for kubemu's own", async () => {
    const apply = (name: string, data: object, fieldManager: string) =>
      server.client.patch(
        configMaps,
        at(name),
        "apply",
        { apiVersion: "v1", kind: "ConfigMap", ...configMap(name), data },
        { fieldManager },
      );
    const error = await refusal(apply("untyped", { a: 1, b: true }, "me"));
    expect([error.code, error.reason, error.message]).toEqual([
      500,
      "",
      `failed to create typed patch object (default/untyped; /v1, Kind=ConfigMap): errors:
  .data.a: expected string, got &value.valueUnstructured{Value:1}
  .data.b: expected string, got &value.valueUnstructured{Value:true}`,
    ]);
    const own = await refusal(apply("untyped", { a: 1 }, "kubemu"));
    expect(own.code).toBe(400);
  });

  test("cannot move an object to another name or namespace", async () => {
    await server.client.create(configMaps, configMap("stays"));
    const refused = async (metadata: object) => {
      const error = await refusal(server.client.patch(configMaps, at("stays"), "merge", { metadata }));
      return [error.code, error.message];
    };
    expect(await refused({ name: "goes" })).toEqual([
      400,
      "the name of the object (goes) does not match the name on the URL (stays)",
    ]);
    expect(await refused({ namespace: "kube-system" })).toEqual([
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ]);
  });
});

describe("scale", () => {
  test("reads and writes replicas, and lost races are conflicts", async () => {
    const path = "/apis/apps/v1/namespaces/default/deployments/web/scale";
    const { body } = await server.transport.request({ method: "GET", path });
    const scale = body as { kind: string; apiVersion: string; spec: object; status: { selector: string } };
    expect([scale.apiVersion, scale.kind, scale.status.selector]).toEqual(["autoscaling/v1", "Scale", "a=b"]);
    const put = await server.transport.request({
      method: "PUT",
      path,
      body: { ...scale, spec: { replicas: 6 } },
    });
    expect([put.status, (put.body as typeof scale).spec]).toEqual([200, { replicas: 6 }]);
    const late = await server.transport.request({
      method: "PUT",
      path,
      body: { ...scale, spec: { replicas: 7 } },
    });
    expect(late.status).toBe(409);
    const patch = { spec: { replicas: 0 } };
    const contentType = "application/merge-patch+json";
    await server.transport.request({ method: "PATCH", path, body: patch, contentType });
    expect((await server.client.get(deployments, at("web"))).spec.replicas).toBe(0);
  });
});

describe("delete", () => {
  test("of a scheduled pod waits for its node, and then removes it", async () => {
    await server.client.create(pods, pod("graceful"));
    await server.client.createSub(pods, at("graceful"), "binding", { target: { kind: "Node", name: "n1" } });
    const bound = await server.client.get(pods, at("graceful"));
    expect(bound.spec.nodeName).toBe("n1");
    expect(bound.status?.conditions?.map(({ type, status }) => [type, status])).toEqual([
      ["PodScheduled", "True"],
    ]);
    await server.client.delete(pods, at("graceful"));
    const going = await server.client.get(pods, at("graceful"));
    expect(going.metadata.deletionGracePeriodSeconds).toBe(30);
    await server.client.delete(pods, at("graceful"), { gracePeriodSeconds: 5 });
    expect((await server.client.get(pods, at("graceful"))).metadata.deletionGracePeriodSeconds).toBe(5);
    await server.client.delete(pods, at("graceful"), { gracePeriodSeconds: 0 });
    expect(await server.client.find(pods, at("graceful"))).toBeUndefined();
  });

  test("a pod is bound once", async () => {
    await server.client.create(pods, pod("bound"));
    const bind = () =>
      server.client.createSub(pods, at("bound"), "binding", { target: { kind: "Node", name: "n1" } });
    await bind();
    const error = await refusal(bind());
    expect(error.message).toContain('pod bound is already assigned to node "n1"');
    await server.client.delete(pods, at("bound"), { gracePeriodSeconds: 0 });
  });

  test("of a pod that no node has is at once, and eviction deletes", async () => {
    await server.client.create(pods, pod("waiting"));
    await server.client.createSub(pods, at("waiting"), "eviction", { metadata: { name: "waiting" } });
    expect(await server.client.find(pods, at("waiting"))).toBeUndefined();
  });

  test("finalizers keep an object until the last is taken out", async () => {
    const draft = configMap("held");
    draft.metadata = { ...draft.metadata, finalizers: ["example.com/one"] } as never;
    await server.client.create(configMaps, draft);
    await server.client.delete(configMaps, at("held"));
    const held = await server.client.get(configMaps, at("held"));
    expect(held.metadata.deletionTimestamp).toBeTruthy();
    const added = await refusal(
      server.client.patch(configMaps, at("held"), "merge", { metadata: { finalizers: ["example.com/two"] } }),
    );
    expect(added.message).toContain("no new finalizers can be added if the object is being deleted");
    await server.client.patch(configMaps, at("held"), "merge", { metadata: { finalizers: null } });
    expect(await server.client.find(configMaps, at("held"))).toBeUndefined();
  });

  test("propagation policies become finalizers", async () => {
    for (const [policy, finalizer] of [
      ["Foreground", "foregroundDeletion"],
      ["Orphan", "orphan"],
    ] as const) {
      await server.client.create(configMaps, configMap(finalizer.toLowerCase()));
      await server.client.delete(configMaps, at(finalizer.toLowerCase()), { propagationPolicy: policy });
      const { metadata } = await server.client.get(configMaps, at(finalizer.toLowerCase()));
      expect(metadata.finalizers).toEqual([finalizer]);
    }
  });

  test("preconditions protect an object that has taken another's name", async () => {
    await server.client.create(configMaps, configMap("guarded"));
    const error = await refusal(
      server.client.delete(configMaps, at("guarded"), { preconditions: { uid: "other" } }),
    );
    expect(error.message).toContain(
      'on ConfigMap "guarded": the UID in the precondition (other) does not match the UID in record',
    );
    expect(await server.client.find(configMaps, at("guarded"))).toBeDefined();
  });

  test("of a collection takes what the selector matches", async () => {
    for (const name of ["x1", "x2", "y1"]) {
      const draft = configMap(name);
      draft.metadata = { ...draft.metadata, labels: { set: name[0]! } } as never;
      await server.client.create(configMaps, draft);
    }
    await server.transport.request({
      method: "DELETE",
      path: "/api/v1/namespaces/default/configmaps",
      query: { labelSelector: "set=x" },
    });
    const left = await server.client.list(configMaps, { namespace: "default", labelSelector: "set" });
    expect(left.items.map(({ metadata }) => metadata.name)).toEqual(["y1"]);
  });

  test("of a collection takes no more than its limit", async () => {
    for (const name of ["z1", "z2", "z3"])
      await server.client.create(configMaps, {
        metadata: { name, namespace: "default", labels: { set: "z" } },
      });
    const path = "/api/v1/namespaces/default/configmaps";
    await server.transport.request({ method: "DELETE", path, query: { labelSelector: "set=z", limit: "2" } });
    const left = await server.client.list(configMaps, { namespace: "default", labelSelector: "set=z" });
    expect(left.items.map(({ metadata }) => metadata.name)).toEqual(["z3"]);
  });
});

describe("namespaces", () => {
  test("go by way of Terminating, take nothing new meanwhile, and end with /finalize", async () => {
    await server.client.create(namespaces, { metadata: { name: "gone" } });
    await server.client.delete(namespaces, { name: "gone" });
    const going = await server.client.get(namespaces, { name: "gone" });
    expect([going.status?.phase, going.spec?.finalizers]).toEqual(["Terminating", ["kubernetes"]]);
    expect(going.metadata).not.toHaveProperty("deletionGracePeriodSeconds");
    const refused = await refusal(
      server.client.create(configMaps, { metadata: { name: "late", namespace: "gone" } }),
    );
    expect(refused.message).toBe(
      'configmaps "late" is forbidden: unable to create new content in namespace gone because it is being terminated',
    );
    await server.transport.request({
      method: "PUT",
      path: "/api/v1/namespaces/gone/finalize",
      body: { ...going, spec: {} },
    });
    expect(await server.client.find(namespaces, { name: "gone" })).toBeUndefined();
  });

  test("that are missing or going are what a pod in them is refused for, before its service account is looked for", async () => {
    await server.client.create(namespaces, { metadata: { name: "ending" } });
    await server.client.delete(namespaces, { name: "ending" });
    const refusalIn = async (namespace: string) => {
      const draft = pod("early");
      const { reason, message } = await refusal(
        server.client.create(pods, { ...draft, metadata: { ...draft.metadata, namespace } }),
      );
      return [reason, message];
    };
    expect(await refusalIn("nowhere")).toEqual(["NotFound", 'namespaces "nowhere" not found']);
    expect(await refusalIn("ending")).toEqual([
      "Forbidden",
      'pods "early" is forbidden: unable to create new content in namespace ending because it is being terminated',
    ]);
  });

  test("that the cluster needs cannot be deleted", async () => {
    const error = await refusal(server.client.delete(namespaces, { name: "default" }));
    expect(error.message).toBe('namespaces "default" is forbidden: this namespace may not be deleted');
  });
});

describe("admission of pods", () => {
  test("adds service account, token volume, tolerations and priority", async () => {
    const { spec } = await server.client.create(
      pods,
      pod("admitted", { priorityClassName: "system-node-critical" }),
    );
    expect([spec.serviceAccountName, spec.priority]).toEqual(["default", 2_000_001_000]);
    expect(spec.tolerations?.map(({ key, tolerationSeconds }) => [key, tolerationSeconds])).toEqual([
      ["node.kubernetes.io/not-ready", 300],
      ["node.kubernetes.io/unreachable", 300],
    ]);
    expect(spec.volumes?.[0]?.name).toMatch(/^kube-api-access-.{5}$/);
    expect(spec.containers[0]?.volumeMounts?.[0]?.mountPath).toBe(
      "/var/run/secrets/kubernetes.io/serviceaccount",
    );
    const without = await server.client.create(pods, pod("bare", { automountServiceAccountToken: false }));
    expect(without.spec.volumes).toBeUndefined();
  });

  test("refuses service accounts and priority classes that are not there", async () => {
    const account = await refusal(server.client.create(pods, pod("p", { serviceAccountName: "nobody" })));
    expect(account.message).toBe(
      'pods "p" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
    );
    const priority = await refusal(server.client.create(pods, pod("p", { priorityClassName: "vip" })));
    expect(priority.message).toBe('pods "p" is forbidden: no PriorityClass with name vip was found');
  });

  test("waits a moment for a new namespace's default account", async () => {
    await server.client.create(namespaces, { metadata: { name: "young" } });
    const draft = pod("early");
    draft.metadata = { name: "early", namespace: "young" } as never;
    const pending = server.client.create(pods, draft);
    await server.client.create(serviceAccounts, { metadata: { name: "default", namespace: "young" } });
    expect((await pending).spec.serviceAccountName).toBe("default");
  });
});

test("Events go when their time is over, and the oldest when they are too many", async () => {
  const { expireEvents } = await import("../../src/server/event-expiry.ts");
  const { timingOf } = await import("../../src/base/timing.ts");
  const event = (name: string, lastTimestamp: string) => ({
    metadata: { name, namespace: "default" },
    involvedObject: { kind: "Pod", name: "p", namespace: "default" },
    lastTimestamp,
  });
  const now = Date.now() + 3_600_000 + 60_000;
  await server.client.create(events, event("old", new Date(Date.now()).toISOString()));
  await server.client.create(events, event("new", new Date(now).toISOString()));
  const { store, registry } = server;
  const clock = { now: () => now };
  const context = { store, registry, clock, timing: timingOf("kubernetes") } as never;
  const names = async () =>
    (await server.client.list(events, { namespace: "default" })).items.map(({ metadata }) => metadata.name);
  await expireEvents(context);
  expect(await names()).toEqual(["new"]);
  await server.client.create(events, event("a-second", new Date(now + 1_000).toISOString()));
  await expireEvents(context, 2);
  expect(await names()).toEqual(["a-second", "new"]);
  await expireEvents(context, 1);
  expect(await names()).toEqual(["a-second"]);
});
