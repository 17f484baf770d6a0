import type { ReplicaSet } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

export const replicaSets: Resource<ReplicaSet> = {
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  namespaced: true,
};

export const replicaSetKind: KindDefinition<ReplicaSet> = {
  resource: replicaSets,
  schema: "io.k8s.api.apps.v1.ReplicaSet",
  singular: "replicaset",
  shortNames: ["rs"],
  categories: ["all"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  columns: [nameColumn(), ageColumn()],
};
