// A picture of a small cluster for the tests of its names.
import { createZoneSource } from "../../../../../agents/proxy/dns/source.ts";
import type { ZoneSource } from "../../../../../agents/proxy/dns/zone.ts";
import type { Endpoint, EndpointSlice, Service } from "../../../../../src/api/generated/types.ts";
import { SERVICE_NAME } from "../../../../../src/api/names.ts";
import { keyOf } from "../../../../../src/api/object.ts";
import type { LiveInformer } from "../../../../../src/client/informer.ts";

export const service = (name: string, spec: Partial<Service["spec"]>, namespace = "default"): Service =>
  ({ metadata: { name, namespace }, spec }) as Service;

export function slice(
  owner: string,
  endpoints: readonly Endpoint[],
  { ports = [{ name: "web", port: 80, protocol: "TCP" }], namespace = "default", suffix = "x" } = {},
): EndpointSlice {
  return {
    metadata: { name: `${owner}-${suffix}`, namespace, labels: { [SERVICE_NAME]: owner } },
    addressType: "IPv4",
    endpoints: [...endpoints],
    ports,
  } as unknown as EndpointSlice;
}

/** An informer of what it is given. */
function informerOf<T extends Service | EndpointSlice>(objects: readonly T[]): LiveInformer<T> {
  const indexes = new Map<string, (object: T) => readonly string[]>();
  return {
    addIndex: (name: string, index: (object: T) => readonly string[]) => void indexes.set(name, index),
    get: (key: string) => objects.find((object) => keyOf(object) === key),
    inNamespace: (namespace: string) => objects.filter(({ metadata }) => metadata.namespace === namespace),
    byIndex: (name: string, value: string) =>
      objects.filter((object) => indexes.get(name)?.(object).includes(value)),
  } as unknown as LiveInformer<T>;
}

export function sourceOf(services: readonly Service[], slices: readonly EndpointSlice[]): ZoneSource {
  const sliceInformer = informerOf(slices);
  sliceInformer.addIndex("service", ({ metadata }) => [
    `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME]}`,
  ]);
  return createZoneSource(informerOf(services), sliceInformer, "service");
}

const ready = { ready: true };
export const cluster = sourceOf(
  [
    service("web", {
      clusterIP: "127.20.192.7",
      ports: [
        { name: "http", port: 80 },
        { name: "metrics", port: 9090, protocol: "TCP" },
      ],
    }),
    service("nginx", { clusterIP: "None", ports: [{ name: "web", port: 80 }] }),
    service("peers", { clusterIP: "None", publishNotReadyAddresses: true }),
    service("empty", { clusterIP: "None", ports: [{ port: 1 }] }),
    service("docs", { type: "ExternalName", externalName: "docs.example.com." }),
    service("alias", { type: "ExternalName", externalName: "web.default.svc.cluster.local" }),
    service("round", { type: "ExternalName", externalName: "trip.default.svc.cluster.local" }),
    service("trip", { type: "ExternalName", externalName: "round.default.svc.cluster.local" }),
  ],
  [
    slice("web", [{ addresses: ["127.20.1.2"], conditions: ready }]),
    slice("nginx", [
      { addresses: ["127.20.1.3"], conditions: ready, hostname: "web-0" },
      { addresses: ["127.20.2.4"], conditions: ready, hostname: "web-1" },
      { addresses: ["127.20.3.5"], conditions: { ready: false }, hostname: "web-2" },
    ]),
    slice("peers", [{ addresses: ["127.20.1.9"], conditions: ready }], { ports: [] }),
  ],
);
