import type { Namespace } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

export const namespaces: Resource<Namespace> = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  namespaced: false,
};

export const namespaceKind: KindDefinition<Namespace> = {
  resource: namespaces,
  schema: "io.k8s.api.core.v1.Namespace",
  singular: "namespace",
  shortNames: ["ns"],
  nameRule: "dns-label",
  hasStatus: true,
  columns: [nameColumn(), ageColumn()],
};
