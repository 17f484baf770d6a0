import { describe, expect, it } from "vitest";
import type { Event, Node } from "../../../../src/api/generated/types.ts";
import { configMapKind } from "../../../../src/api/kinds/config-map.ts";
import { endpointSliceKind } from "../../../../src/api/kinds/endpoint-slice.ts";
import { endpointsKind } from "../../../../src/api/kinds/endpoints.ts";
import { eventKind } from "../../../../src/api/kinds/event.ts";
import { imageKind } from "../../../../src/api/kinds/image.ts";
import { namespaceKind } from "../../../../src/api/kinds/namespace.ts";
import { nodeKind } from "../../../../src/api/kinds/node.ts";
import { priorityClassKind } from "../../../../src/api/kinds/priority-class.ts";
import { secretKind } from "../../../../src/api/kinds/secret.ts";
import type { Draft } from "../../../../src/api/object.ts";
import { cells, stored, told } from "./examples.ts";

describe("Node", () => {
  const node = (draft: Draft<Node>) => stored(nodeKind, "node-1", draft);
  const ready = (status: string) => ({ conditions: [{ type: "Ready", status }] });

  it.each<[string, Draft<Node>]>([
    ["Ready", { status: ready("True") }],
    ["NotReady", { status: ready("Unknown") }],
    ["Unknown", {}],
    ["Ready,SchedulingDisabled", { status: ready("True"), spec: { unschedulable: true } }],
  ])("is shown %s", (expected, draft) => {
    expect(cells(nodeKind, node(draft))["Status"]).toBe(expected);
  });

  it("shows its roles and addresses", () => {
    const shown = node({ status: { addresses: [{ type: "InternalIP", address: "127.20.1.1" }] } });
    shown.metadata.labels = { "node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/edge": "" };
    expect(cells(nodeKind, shown)).toMatchObject({
      Roles: "edge,worker",
      "Internal-IP": "127.20.1.1",
      "External-IP": "<none>",
      "OS-Image": "<unknown>",
    });
  });

  it("refuses taints with an unknown effect", () => {
    expect(told(nodeKind, node({ spec: { taints: [{ key: "a", effect: "Maybe" }] } }))).toEqual([
      'spec.taints[0].effect: Unsupported value: "Maybe": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ]);
  });
});

describe("Namespace", () => {
  it("is labelled with its name, Active, and held by its finalizer", () => {
    const made = stored(namespaceKind, "shop", { metadata: { name: "shop" } });
    namespaceKind.prepareCreate?.(made);
    expect(made.metadata.labels).toEqual({ "kubernetes.io/metadata.name": "shop" });
    expect(made).toMatchObject({ spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } });
  });

  it("loses its finalizer through /finalize only", () => {
    const old = stored(namespaceKind, "shop", { spec: { finalizers: ["kubernetes"] } });
    const next = { ...structuredClone(old), spec: { finalizers: [] } };
    namespaceKind.prepareUpdate?.(next, old, { subresource: "finalize" });
    expect(next.spec.finalizers).toEqual([]);
    namespaceKind.prepareUpdate?.(next, old, { subresource: "" });
    expect(next.spec.finalizers).toEqual(["kubernetes"]);
  });
});

describe("ConfigMap and Secret", () => {
  it("refuse keys that are no file names, and more than a mebibyte", () => {
    expect(told(configMapKind, stored(configMapKind, "c", { data: { "a b": "1", "..": "2" } }))).toEqual([
      "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      "data[..]: Invalid value: \"..\": must not be '..'",
    ]);
    const big = stored(configMapKind, "c", { data: { a: "x".repeat(1024 * 1024 + 1) } });
    expect(told(configMapKind, big)).toEqual(["[]: Too long: may not be more than 1048576 bytes"]);
  });

  it("stay as they are once immutable", () => {
    const old = stored(configMapKind, "c", { immutable: true, data: { a: "1" } });
    const next = stored(configMapKind, "c", { data: { a: "2" } });
    expect(told(configMapKind, next, old)).toEqual([
      "immutable: Forbidden: field is immutable when `immutable` is set",
      "data: Forbidden: field is immutable when `immutable` is set",
    ]);
  });

  it("turn stringData into data, and default the type", () => {
    const made = stored(secretKind, "s", { data: { a: "b2xk" }, stringData: { a: "new", b: "é" } });
    expect(made).toMatchObject({ type: "Opaque", data: { a: "bmV3", b: "w6k=" } });
    expect(made.stringData).toBeUndefined();
  });

  it("need the keys of their type", () => {
    expect(told(secretKind, stored(secretKind, "s", { type: "kubernetes.io/tls" }))).toEqual([
      "data[tls.crt]: Required value",
      "data[tls.key]: Required value",
    ]);
  });
});

describe("Endpoints and EndpointSlice", () => {
  const addresses = ["127.20.1.2", "127.20.1.3", "127.20.2.2", "127.20.2.3"];

  it("show three and count the rest", () => {
    const shown = stored(endpointsKind, "web", {
      subsets: [{ addresses: addresses.map((ip) => ({ ip })), ports: [{ port: 80 }] }],
    });
    expect(told(endpointsKind, shown)).toEqual([]);
    expect(cells(endpointsKind, shown)["Endpoints"]).toBe(
      "127.20.1.2:80,127.20.1.3:80,127.20.2.2:80 + 1 more...",
    );
    expect(cells(endpointsKind, stored(endpointsKind, "web", {}))["Endpoints"]).toBe("<none>");
    const slice = stored(endpointSliceKind, "web-1", {
      addressType: "IPv4",
      endpoints: addresses.map((address) => ({ addresses: [address] })),
      ports: [{ port: 80 }],
    });
    expect(told(endpointSliceKind, slice)).toEqual([]);
    expect(cells(endpointSliceKind, slice)).toMatchObject({
      AddressType: "IPv4",
      Ports: "80",
      Endpoints: "127.20.1.2,127.20.1.3,127.20.2.2 + 1 more...",
    });
    const empty = stored(endpointSliceKind, "web-1", { addressType: "IPv4" });
    expect(cells(endpointSliceKind, empty)).toMatchObject({ Ports: "<unset>", Endpoints: "<unset>" });
  });

  it("count a slice's generation by its content", () => {
    const old = stored(endpointSliceKind, "web-1", { addressType: "IPv4" });
    endpointSliceKind.prepareCreate?.(old);
    const annotated = structuredClone(old);
    annotated.metadata.annotations = { a: "b" };
    endpointSliceKind.prepareUpdate?.(annotated, old, { subresource: "" });
    expect(annotated.metadata.generation).toBe(1);
    const changed = { ...structuredClone(old), endpoints: [{ addresses: ["127.20.1.2"] }] };
    endpointSliceKind.prepareUpdate?.(changed, old, { subresource: "" });
    expect(changed.metadata.generation).toBe(2);
  });
});

describe("Event", () => {
  const event = (draft: Draft<Event>) =>
    stored(eventKind, "web.1", {
      involvedObject: { kind: "Pod", name: "web", namespace: "default" },
      reason: "Started",
      message: "Started container web\n",
      ...draft,
    });

  it("is shown with its ages, the last one first", () => {
    const now = Date.parse("2026-01-02T03:04:15Z");
    const shown = event({
      type: "Normal",
      count: 3,
      firstTimestamp: "2026-01-02T03:00:15Z",
      lastTimestamp: "2026-01-02T03:04:05Z",
      source: { component: "kubelet", host: "node-1" },
    });
    expect(cells(eventKind, shown, now)).toEqual({
      "Last Seen": "10s",
      Type: "Normal",
      Reason: "Started",
      Object: "pod/web",
      Subobject: "",
      Source: "kubelet, node-1",
      Message: "Started container web",
      "First Seen": "4m",
      Count: "3",
      Name: "web.1",
    });
    expect(cells(eventKind, event({}), now)["Last Seen"]).toBe("<unknown>");
  });

  it("must lie in its object's namespace", () => {
    expect(told(eventKind, event({ involvedObject: { kind: "Pod", name: "a", namespace: "x" } }))).toEqual([
      'involvedObject.namespace: Invalid value: "x": does not match event.namespace',
    ]);
    expect(told(eventKind, event({ involvedObject: { kind: "Node", name: "a" } }))).toEqual([]);
  });

  it("is selected by what it is about", () => {
    expect(eventKind.fields?.(event({ reportingComponent: "kubelet" }))).toMatchObject({
      "involvedObject.name": "web",
      reason: "Started",
      source: "kubelet",
    });
  });
});

describe("PriorityClass", () => {
  it("keeps its value and stays below the system's", () => {
    const low = stored(priorityClassKind, "low", { value: 1 });
    const high = stored(priorityClassKind, "low", { value: 2_000_000_000 });
    expect(told(priorityClassKind, high, low)).toEqual([
      "value: Forbidden: may not be changed in an update.",
    ]);
    expect(told(priorityClassKind, high)).toEqual([
      "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
    ]);
    expect(low.preemptionPolicy).toBe("PreemptLowerPriority");
  });
});

describe("Image", () => {
  it("names images and exactly one program", () => {
    expect(
      told(imageKind, stored(imageKind, "app", { spec: { names: ["app:*"], command: ["node", "a.js"] } })),
    ).toEqual([]);
    expect(told(imageKind, stored(imageKind, "app", { spec: { names: [] } }))).toEqual([
      "spec.names: Required value: must name at least one image",
      "spec.command: Required value: must specify `command` or `builtin`",
    ]);
    const both = { names: ["a"], builtin: "nginx", command: ["node"], tags: ["a b"] };
    expect(told(imageKind, stored(imageKind, "app", { spec: both }))).toEqual([
      'spec.command: Invalid value: ["node"]: may not be given beside `builtin`',
      'spec.tags[0]: Invalid value: "a b": must be an image\'s tag',
    ]);
  });
});
