import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../src/api/object.ts";
import { trackUpdate } from "../../../../src/api/patch/managed-fields.ts";
import { applyServerSide } from "../../../../src/api/patch/server-side-apply.ts";
import { kubernetesType } from "../../../../src/api/schema.ts";

const SCHEMA = "io.k8s.api.apps.v1.Deployment";
const NOW = Date.parse("2026-01-02T03:04:05Z");
type Any = Record<string, unknown>;
type Deployment = KubeObject & { spec?: Any; status?: Any };

const base = (spec: Any, metadata: Any = {}): Deployment =>
  ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", ...metadata },
    spec,
  }) as unknown as Deployment;

function apply(
  live: KubeObject | undefined,
  applied: KubeObject,
  options: { manager?: string; force?: boolean; subresource?: string; now?: number } = {},
) {
  const { manager = "me", force = false, subresource = "", now = NOW } = options;
  const result = applyServerSide({
    live,
    applied,
    schema: SCHEMA,
    lookup: kubernetesType,
    manager,
    subresource,
    force,
    now,
  });
  return { ...result, object: result.object as Deployment };
}

function update(
  before: KubeObject | undefined,
  after: Deployment,
  options: { manager?: string; subresource?: string; now?: number } = {},
): Deployment {
  const { manager = "editor", subresource = "", now = NOW } = options;
  const managedFields = trackUpdate({
    before,
    after,
    schema: SCHEMA,
    lookup: kubernetesType,
    manager,
    operation: "Update",
    subresource,
    now,
  });
  return { ...after, metadata: { ...after.metadata, managedFields } };
}

const container = (name: string, rest: Any = {}) => ({ name, ...rest });
const withContainers = (...containers: Any[]) => base({ template: { spec: { containers } } });
const containersOf = (object: Deployment) =>
  ((object.spec?.["template"] as Any | undefined)?.["spec"] as Any | undefined)?.["containers"];
const entry = (object: KubeObject, manager: string) =>
  object.metadata.managedFields?.find((one) => one.manager === manager);

describe("trackUpdate", () => {
  it("moves only the time of a manager that writes its fields again", () => {
    const created = update(undefined, base({ replicas: 1 }, { labels: { app: "web" } }));
    const again = { ...created, spec: { replicas: 2 } } as Deployment;
    const updated = update(created, again, { now: NOW + 1000 });
    const [before, after] = [entry(created, "editor"), entry(updated, "editor")];
    expect(after).toEqual({ ...before, time: "2026-01-02T03:04:06Z" });
    expect(after?.fieldsV1).toBe(before?.fieldsV1);
  });

  it("leaves an object alone that nobody is known to own, until it is applied", () => {
    const cleared = base({ replicas: 1 });
    expect(update(cleared, base({ replicas: 2 })).metadata.managedFields).toEqual([]);
  });

  it("records what a create sets as Kubernetes records it", () => {
    const created = update(undefined, {
      ...base(
        {
          replicas: 1,
          selector: { matchLabels: { app: "web" } },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } },
          template: {
            metadata: { labels: { app: "web" } },
            spec: { containers: [container("c", { image: "i", ports: [{ containerPort: 80 }] })] },
          },
        },
        { labels: { app: "web" }, uid: "u", generation: 1 },
      ),
      status: {},
    });
    expect(created.metadata.managedFields).toEqual([
      {
        manager: "editor",
        operation: "Update",
        apiVersion: "apps/v1",
        time: "2026-01-02T03:04:05Z",
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
          "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:strategy": { "f:rollingUpdate": { ".": {}, "f:maxSurge": {} }, "f:type": {} },
            "f:template": {
              "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
              "f:spec": {
                "f:containers": {
                  'k:{"name":"c"}': {
                    ".": {},
                    "f:image": {},
                    "f:name": {},
                    "f:ports": {
                      ".": {},
                      'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ]);
  });

  it("moves changed fields to who changed them, and forgets removed ones", () => {
    const created = update(undefined, base({ replicas: 1, paused: true, minReadySeconds: 5 }), {
      manager: "a",
    });
    const changed = update(
      created,
      { ...created, spec: { replicas: 2, minReadySeconds: 5 } },
      { manager: "b", now: NOW + 1000 },
    );
    expect(entry(changed, "a")?.fieldsV1).toEqual({ "f:spec": { "f:minReadySeconds": {} } });
    expect(entry(changed, "b")?.fieldsV1).toEqual({ "f:spec": { "f:replicas": {} } });
  });

  it("keeps everything as it is when nothing changes", () => {
    const created = update(undefined, base({ replicas: 1 }));
    const after = { ...structuredClone(created), metadata: { ...created.metadata, resourceVersion: "7" } };
    expect(update(created, after, { manager: "other" }).metadata.managedFields).toEqual(
      created.metadata.managedFields,
    );
  });

  it("keeps subresources apart", () => {
    const created = update(undefined, base({ replicas: 1 }));
    const seen = update(created, { ...created, status: { replicas: 1 } }, { subresource: "status" });
    expect(seen.metadata.managedFields?.map((one) => one.subresource)).toEqual([undefined, "status"]);
  });

  it("lets a client clear the list", () => {
    const created = update(undefined, base({ replicas: 1 }));
    const cleared = { ...created, metadata: { ...created.metadata, managedFields: [{}] } };
    expect(update(created, cleared).metadata.managedFields).toEqual([]);
  });

  it("merges the oldest of more than ten updaters", () => {
    let object = update(undefined, base({ replicas: 0 }), { manager: "m0" });
    for (let i = 1; i <= 15; i++) {
      const metadata = { ...object.metadata, labels: { ...object.metadata.labels, [`l${i}`]: "x" } };
      object = update(object, { ...object, metadata }, { manager: `m${i}`, now: NOW + i * 1000 });
    }
    const managers = object.metadata.managedFields?.map((one) => one.manager);
    expect(managers).toHaveLength(10);
    expect(managers).toContain("ancient-changes");
    expect(managers).toContain("m15");
    expect(managers).not.toContain("m0");
    expect(entry(object, "ancient-changes")?.fieldsV1).toMatchObject({ "f:spec": { "f:replicas": {} } });
  });
});

describe("applyServerSide", () => {
  it("creates, owning only what is stated", () => {
    const { object } = apply(undefined, base({ replicas: 3 }, { labels: { a: "1" } }));
    expect(object.spec).toEqual({ replicas: 3 });
    expect(object.metadata.managedFields).toEqual([
      {
        manager: "me",
        operation: "Apply",
        apiVersion: "apps/v1",
        time: "2026-01-02T03:04:05Z",
        fieldsType: "FieldsV1",
        fieldsV1: { "f:metadata": { "f:labels": { "f:a": {} } }, "f:spec": { "f:replicas": {} } },
      },
    ]);
  });

  it("reports a conflict in Kubernetes' words and changes nothing", () => {
    const live = update(undefined, base({ replicas: 1 }), { manager: "kubectl-client-side-apply" });
    const { object, conflicts } = apply(live, base({ replicas: 2 }));
    expect(object).toBe(live);
    expect(conflicts).toEqual([
      {
        manager: "kubectl-client-side-apply",
        field: ".spec.replicas",
        message: 'conflict with "kubectl-client-side-apply" using apps/v1',
      },
    ]);
  });

  it("takes the field over when forced", () => {
    const live = update(undefined, base({ replicas: 1, paused: true }), { manager: "a" });
    const { object, conflicts } = apply(live, base({ replicas: 2 }), { force: true });
    expect(conflicts).toEqual([]);
    expect(object.spec).toEqual({ replicas: 2, paused: true });
    expect(entry(object, "a")?.fieldsV1).toEqual({ "f:spec": { "f:paused": {} } });
  });

  it("shares a field when both want the same value", () => {
    const first = apply(undefined, base({ replicas: 2 }), { manager: "a" }).object;
    const { object, conflicts } = apply(first, base({ replicas: 2 }), { manager: "b" });
    expect(conflicts).toEqual([]);
    expect(entry(object, "a")?.fieldsV1).toEqual(entry(object, "b")?.fieldsV1);
    const { spec: _spec, ...nothing } = base({});
    const left = apply(object, nothing, { manager: "a" }).object;
    expect(left.spec).toEqual({ replicas: 2 });
    expect(entry(left, "a")).toBeUndefined();
    expect(apply(left, nothing, { manager: "b" }).object.spec).toBeUndefined();
  });

  it("removes what it no longer states, with the server's defaults inside an item, and leaves others' fields", () => {
    const first = apply(
      undefined,
      withContainers(container("a", { image: "1" }), container("b", { image: "1" })),
    ).object;
    const live = structuredClone(first);
    for (const each of containersOf(live) as Any[]) each["terminationMessagePath"] = "/dev/termination-log";
    (live.spec as Any)["progressDeadlineSeconds"] = 600;
    const { object } = apply(live, withContainers(container("b", { image: "2" })));
    expect(containersOf(object)).toEqual([
      { name: "b", image: "2", terminationMessagePath: "/dev/termination-log" },
    ]);
    expect(object.spec?.["progressDeadlineSeconds"]).toBe(600);
  });

  it("keeps an item that another manager added, in its place", () => {
    const first = apply(undefined, withContainers(container("a"), container("b"))).object;
    const injected = update(
      first,
      { ...first, spec: withContainers(container("a"), container("sidecar"), container("b")).spec as Any },
      { manager: "injector" },
    );
    const { object } = apply(injected, withContainers(container("b", { image: "2" }), container("c")));
    expect((containersOf(object) as Any[]).map((each) => each["name"])).toEqual(["sidecar", "b", "c"]);
  });

  it("takes a map's key and a set's value out when nobody owns them", () => {
    const first = apply(
      undefined,
      base({}, { labels: { a: "1", b: "2" }, finalizers: ["x/a", "x/b"] }),
    ).object;
    const labelled = update(first, {
      ...first,
      metadata: { ...first.metadata, labels: { ...first.metadata.labels, c: "3" } },
    });
    const { object } = apply(labelled, base({}, { labels: { b: "2" }, finalizers: ["x/b"] }));
    expect(object.metadata.labels).toEqual({ b: "2", c: "3" });
    expect(object.metadata.finalizers).toEqual(["x/b"]);
  });

  it("owns ports that differ in protocol only separately", () => {
    const ports = [{ containerPort: 53 }, { containerPort: 53, protocol: "UDP" }];
    const { object } = apply(undefined, withContainers(container("dns", { ports })));
    expect(JSON.stringify(entry(object, "me")?.fieldsV1)).toContain('\\"protocol\\":\\"UDP\\"');
    const again = apply(object, withContainers(container("dns", { ports: [ports[1]] }))).object;
    expect((containersOf(again) as Any[])[0]).toEqual({ name: "dns", ports: [ports[1]] });
  });

  it("changes nothing, times included, when applied again", () => {
    const { object } = apply(undefined, withContainers(container("a", { image: "1" })));
    const again = apply(object, withContainers(container("a", { image: "1" })), { now: NOW + 60_000 });
    expect(again.object).toEqual(object);
  });

  it("owns neither status by applying the object nor spec by applying its status", () => {
    const applied = { ...base({ replicas: 1 }), status: { replicas: 1 } };
    const { object } = apply(undefined, applied);
    expect(object.status).toBeUndefined();
    const status = apply(object, applied, { subresource: "status", manager: "s" }).object;
    expect(entry(status, "s")).toMatchObject({
      subresource: "status",
      fieldsV1: { "f:status": { "f:replicas": {} } },
    });
  });

  it("gives an untracked object an entry of its own before the first apply", () => {
    const { object, conflicts } = apply(base({ replicas: 1, paused: true }), base({ replicas: 2 }));
    expect(object).toEqual(base({ replicas: 1, paused: true }));
    expect(conflicts[0]?.message).toBe('conflict with "before-first-apply" using apps/v1');
  });

  it("lets kubectl take over what it had applied client-side", () => {
    const annotation = JSON.stringify(base({ replicas: 1, minReadySeconds: 1 }));
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": annotation };
    const csa = update(undefined, base({ replicas: 1, minReadySeconds: 1 }, { annotations }), {
      manager: "kubectl-client-side-apply",
    });
    const { object, conflicts } = apply(csa, base({ replicas: 4 }), { manager: "kubectl" });
    expect(conflicts).toEqual([]);
    expect(object.spec).toEqual({ replicas: 4, minReadySeconds: 1 });
    const scaled = update(csa, { ...csa, spec: { replicas: 9, minReadySeconds: 1 } }, { manager: "scaler" });
    expect(apply(scaled, base({ replicas: 4 }), { manager: "kubectl" }).conflicts).toHaveLength(1);
  });

  describe("of kubectl, to what it had applied client-side", () => {
    const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
    const annotated = (text: string) =>
      update(undefined, base({ replicas: 1 }, { annotations: { [LAST_APPLIED]: text, other: "kept" } }), {
        manager: "kubectl-client-side-apply",
      });
    const live = annotated(JSON.stringify(base({ replicas: 1 })));
    const textAfter = (applied: KubeObject, options: { manager?: string } = {}) =>
      apply(live, applied, { manager: "kubectl", force: true, ...options }).object.metadata.annotations?.[
        LAST_APPLIED
      ];

    it("writes down what it applies now, with sorted keys and without the annotation itself", () => {
      expect(textAfter(base({ replicas: 4 }))).toBe(
        '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":4}}\n',
      );
      const annotations = { z: "1", [LAST_APPLIED]: "{}" };
      expect(JSON.parse(textAfter(base({ replicas: 4 }, { annotations })) ?? "")).toEqual(
        base({ replicas: 4 }, { annotations: { z: "1" } }),
      );
    });

    it("writes nothing for another manager, and none where there was none", () => {
      expect(textAfter(base({ replicas: 4 }), { manager: "other" })).toBe(
        JSON.stringify(base({ replicas: 1 })),
      );
      const plain = update(undefined, base({ replicas: 1 }));
      const { object } = apply(plain, base({ replicas: 4 }), { manager: "kubectl", force: true });
      expect(object.metadata.annotations).toBeUndefined();
    });

    it("takes it away when it would be too large, and leaves the others", () => {
      const large = base({ replicas: 4 }, { labels: { text: "x".repeat(256 * 1024) } });
      const { object } = apply(live, large, { manager: "kubectl", force: true });
      expect(object.metadata.annotations).toEqual({ other: "kept" });
    });
  });

  it("reaches what is stated from any earlier apply, without changing its arguments", () => {
    const one = fc.record(
      {
        image: fc.constantFrom("a", "b"),
        args: fc.array(fc.constantFrom("x", "y")),
        env: fc
          .uniqueArray(fc.constantFrom("A", "B", "C"), { minLength: 1 })
          .map((list) => list.map((name) => ({ name, value: name.toLowerCase() }))),
      },
      { requiredKeys: [] },
    );
    const spec = fc
      .dictionary(fc.constantFrom("a", "b", "c"), one, { minKeys: 1 })
      .map((byName) =>
        withContainers(...Object.entries(byName).map(([name, rest]) => container(name, rest))),
      );
    fc.assert(
      fc.property(spec, spec, (first, second) => {
        const live = apply(undefined, first).object;
        const copies = structuredClone([live, second]);
        const { object, conflicts } = apply(live, second);
        expect(conflicts).toEqual([]);
        const byName = (list: unknown) => new Map((list as Any[]).map((each) => [each["name"], each]));
        expect(byName(containersOf(object))).toEqual(byName(containersOf(second)));
        expect([live, second]).toEqual(copies);
      }),
    );
  });
});
