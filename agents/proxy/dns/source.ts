// The zone's picture of the API: the proxy's own informers, with the indexes that reverse look-ups need.
import type { EndpointSlice, Service } from "../../../src/api/generated/types.ts";
import { SERVICE_NAME } from "../../../src/api/names.ts";
import type { LiveInformer } from "../../../src/client/informer.ts";
import type { ZoneSource } from "./zone.ts";

const BY_ADDRESS = "address";

/** `bySlice`: the index of slices by `namespace/name` of their Service. Call it before the informers have synced. */
export function createZoneSource(
  services: LiveInformer<Service>,
  slices: LiveInformer<EndpointSlice>,
  byService: string,
): ZoneSource {
  services.addIndex(BY_ADDRESS, ({ spec }) => (spec.clusterIP ? [spec.clusterIP] : []));
  slices.addIndex(BY_ADDRESS, ({ endpoints }) => [
    ...new Set((endpoints ?? []).flatMap(({ addresses }) => addresses)),
  ]);
  return {
    service: (namespace, name) => services.get(`${namespace}/${name}`),
    slices: (namespace, name) => slices.byIndex(byService, `${namespace}/${name}`),
    hasServices: (namespace) => services.inNamespace(namespace).length > 0,
    servicesAt: (ip) => services.byIndex(BY_ADDRESS, ip),
    slicesAt: (ip) => slices.byIndex(BY_ADDRESS, ip),
    serviceOf: ({ metadata }) => services.get(`${metadata.namespace}/${metadata.labels?.[SERVICE_NAME]}`),
  };
}
