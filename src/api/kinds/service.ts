import type { Service } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

export const services: Resource<Service> = {
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  namespaced: true,
};

export const serviceKind: KindDefinition<Service> = {
  resource: services,
  schema: "io.k8s.api.core.v1.Service",
  singular: "service",
  shortNames: ["svc"],
  categories: ["all"],
  nameRule: "dns-1035-label",
  hasStatus: true,
  columns: [nameColumn(), ageColumn()],
};
