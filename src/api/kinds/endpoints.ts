import type { Endpoints } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

export const endpoints: Resource<Endpoints> = {
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  namespaced: true,
};

export const endpointsKind: KindDefinition<Endpoints> = {
  resource: endpoints,
  schema: "io.k8s.api.core.v1.Endpoints",
  singular: "endpoints",
  shortNames: ["ep"],
  nameRule: "dns-subdomain",
  columns: [nameColumn(), ageColumn()],
};
