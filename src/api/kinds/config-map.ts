import type { ConfigMap } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

export const configMaps: Resource<ConfigMap> = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  namespaced: true,
};

export const configMapKind: KindDefinition<ConfigMap> = {
  resource: configMaps,
  schema: "io.k8s.api.core.v1.ConfigMap",
  singular: "configmap",
  shortNames: ["cm"],
  nameRule: "dns-subdomain",
  columns: [nameColumn(), ageColumn()],
};
