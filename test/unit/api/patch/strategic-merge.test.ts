import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyStrategicMergePatch } from "../../../../src/api/patch/strategic-merge.ts";
import { kubernetesType } from "../../../../src/api/schema.ts";

const patched = (document: unknown, patch: unknown, schema = "io.k8s.api.core.v1.PodSpec") =>
  applyStrategicMergePatch(document, patch, schema, kubernetesType);
const DEPLOYMENT_SPEC = "io.k8s.api.apps.v1.DeploymentSpec";
const META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const names = (value: unknown, list = "containers") =>
  (value as Record<string, { name: string }[]>)[list]?.map(({ name }) => name);

describe("applyStrategicMergePatch", () => {
  it("carries out the worked example", () => {
    expect(
      patched(
        { containers: [{ name: "web", image: "a", args: ["x"] }, { name: "log" }] },
        {
          containers: [
            { name: "web", image: "b" },
            { name: "log", $patch: "delete" },
            { name: "new" },
          ].reverse(),
          "$setElementOrder/containers": [{ name: "new" }, { name: "web" }],
        },
      ),
    ).toEqual({ containers: [{ name: "new" }, { name: "web", image: "b", args: ["x"] }] });
  });

  it("merges maps, removes with null, replaces atomic lists and scalars", () => {
    const document = {
      nodeSelector: { a: "1", b: "2" },
      containers: [{ name: "c", args: ["x", "y"] }],
      priority: 1,
    };
    const patch = {
      nodeSelector: { a: null, c: "3" },
      containers: [{ name: "c", args: ["z"] }],
      priority: null,
    };
    expect(patched(document, patch)).toEqual({
      nodeSelector: { b: "2", c: "3" },
      containers: [{ name: "c", args: ["z"] }],
    });
  });

  it("merges deep inside list items", () => {
    const document = {
      containers: [
        {
          name: "c",
          env: [
            { name: "A", value: "1" },
            { name: "B", value: "2" },
          ],
        },
      ],
    };
    const patch = {
      containers: [
        {
          name: "c",
          env: [
            { name: "B", value: "3" },
            { name: "C", value: "4" },
          ],
        },
      ],
    };
    expect(patched(document, patch)).toEqual({
      containers: [
        {
          name: "c",
          env: [
            { name: "A", value: "1" },
            { name: "B", value: "3" },
            { name: "C", value: "4" },
          ],
        },
      ],
    });
  });

  it("changes the first of two ports that have the same number, as Kubernetes does", () => {
    const ports = [
      { port: 53, protocol: "TCP" },
      { port: 53, protocol: "UDP" },
    ];
    expect(
      patched({ ports }, { ports: [{ port: 53, name: "dns" }] }, "io.k8s.api.core.v1.ServiceSpec"),
    ).toEqual({
      ports: [
        { port: 53, protocol: "TCP", name: "dns" },
        { port: 53, protocol: "UDP" },
      ],
    });
  });

  it("obeys $patch: replace in maps and lists, and delete in maps", () => {
    const document = { containers: [{ name: "a" }, { name: "b" }], securityContext: { runAsUser: 1 } };
    expect(patched(document, { containers: [{ $patch: "replace" }, { name: "c" }] })).toMatchObject({
      containers: [{ name: "c" }],
    });
    expect(patched(document, { containers: [{ $patch: "replace" }] })).toMatchObject({ containers: [] });
    expect(patched(document, { securityContext: { $patch: "replace", fsGroup: 2 } })).toMatchObject({
      securityContext: { fsGroup: 2 },
    });
    expect(patched(document, { securityContext: { $patch: "delete" } })).toMatchObject({
      securityContext: {},
    });
    expect(patched(document, { securityContext: { $patch: "merge", fsGroup: 2 } })).toMatchObject({
      securityContext: { runAsUser: 1, fsGroup: 2 },
    });
  });

  it("clears what $retainKeys does not name", () => {
    const document = { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } }, replicas: 1 };
    expect(
      patched(document, { strategy: { $retainKeys: ["type"], type: "Recreate" } }, DEPLOYMENT_SPEC),
    ).toEqual({ strategy: { type: "Recreate" }, replicas: 1 });
    const volumes = { volumes: [{ name: "v", emptyDir: {} }] };
    const patch = { volumes: [{ name: "v", $retainKeys: ["name", "hostPath"], hostPath: { path: "/x" } }] };
    expect(patched(volumes, patch)).toEqual({ volumes: [{ name: "v", hostPath: { path: "/x" } }] });
  });

  it("merges lists of scalars and takes out of them", () => {
    const document = { finalizers: ["a", "b", "c"] };
    expect(patched(document, { finalizers: ["d", "a"] }, META)).toEqual({ finalizers: ["d", "a", "b", "c"] });
    expect(patched(document, { "$deleteFromPrimitiveList/finalizers": ["b"] }, META)).toEqual({
      finalizers: ["a", "c"],
    });
    expect(
      patched(
        document,
        {
          finalizers: ["d"],
          "$setElementOrder/finalizers": ["d", "a", "c"],
          "$deleteFromPrimitiveList/finalizers": ["b"],
        },
        META,
      ),
    ).toEqual({ finalizers: ["d", "a", "c"] });
  });

  it("keeps what only the server has before what followed it when it orders", () => {
    const document = { containers: ["a", "injected", "b", "c"].map((name) => ({ name })) };
    const order = ["c", "a", "b"].map((name) => ({ name }));
    expect(names(patched(document, { "$setElementOrder/containers": order }))).toEqual([
      "injected",
      "c",
      "a",
      "b",
    ]);
  });

  it("leaves no directive and no null in what is new", () => {
    expect(
      patched(
        {},
        {
          "$setElementOrder/containers": [{ name: "a" }],
          containers: [{ name: "a", env: [{ name: "x", $patch: "delete" }], image: null }],
          securityContext: { $retainKeys: ["fsGroup"], fsGroup: 1, runAsUser: null },
        },
      ),
    ).toEqual({ containers: [{ name: "a", env: [] }], securityContext: { fsGroup: 1 } });
  });

  it.each([
    [{ containers: [{ image: "x" }] }, "does not contain declared merge key: name"],
    [{ containers: [{ $patch: "delete" }] }, "delete patch type with no merge key defined"],
    [{ containers: [{ name: "a", $patch: "merge" }] }, "merging lists cannot yet be specified in the patch"],
    [{ securityContext: { $patch: "x" } }, "unknown patch type: x"],
    [{ securityContext: { $retainKeys: [], fsGroup: 1 } }, "invalid patch format of retainKeys"],
    [{ "$setElementOrder/containers": 1 }, "invalid patch format of setElementOrder list"],
    [
      { "$setElementOrder/containers": [{ name: "b" }], containers: [{ name: "a" }] },
      "doesn't match $setElementOrder list",
    ],
    [[], "not a JSON object"],
  ])("says 400 for %j", (patch, message) => {
    const document = { containers: [{ name: "a" }], securityContext: { fsGroup: 2 } };
    expect(() => patched(document, patch)).toThrow(message);
    expect(() => patched(document, patch)).toThrow(expect.objectContaining({ code: 400 }));
  });

  it.each([
    ["$deleteFromPrimitiveList/finalizers", (list: string[]) => ({ finalizers: list }), META],
    ["$retainKeys", (list: string[]) => Object.fromEntries(list.map((key) => [key, "v"])), "none"],
  ])("reads the list of %s once, however long it and the document are", (directive, document, schema) => {
    const list = Array.from({ length: 500 }, (_, n) => `a/${n}`);
    let reads = 0;
    const counted = new Proxy(
      list.map((one) => `${one}-other`),
      {
        get(target, key, receiver) {
          if (typeof key === "string" && /^\d+$/.test(key)) reads++;
          return Reflect.get(target, key, receiver);
        },
      },
    );
    patched(document(list), { [directive]: counted }, schema);
    expect(reads).toBe(list.length);
  });

  it("reaches the ordered list when it is stated, and never changes its arguments", () => {
    const name = fc.constantFrom("a", "b", "c", "d", "e");
    const containers = fc.uniqueArray(name).map((list) => list.map((one) => ({ name: one })));
    fc.assert(
      fc.property(containers, containers, (before, wanted) => {
        // What kubectl sends to get from one list to the other.
        const gone = before.filter(({ name }) => !wanted.some((item) => item.name === name));
        const patch = {
          containers: [...wanted, ...gone.map((item) => ({ ...item, $patch: "delete" }))],
          "$setElementOrder/containers": wanted,
        };
        const copies = structuredClone([before, patch]);
        expect(names(patched({ containers: before }, patch)) ?? []).toEqual(wanted.map((item) => item.name));
        expect([before, patch]).toEqual(copies);
      }),
    );
  });
});
