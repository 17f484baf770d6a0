import type { EndpointSlice } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

export const endpointSlices: Resource<EndpointSlice> = {
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  namespaced: true,
};

export const endpointSliceKind: KindDefinition<EndpointSlice> = {
  resource: endpointSlices,
  schema: "io.k8s.api.discovery.v1.EndpointSlice",
  singular: "endpointslice",
  nameRule: "dns-subdomain",
  columns: [nameColumn(), ageColumn()],
};
