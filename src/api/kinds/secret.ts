import type { Secret } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

export const secrets: Resource<Secret> = {
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  namespaced: true,
};

export const secretKind: KindDefinition<Secret> = {
  resource: secrets,
  schema: "io.k8s.api.core.v1.Secret",
  singular: "secret",
  nameRule: "dns-subdomain",
  columns: [nameColumn(), ageColumn()],
};
