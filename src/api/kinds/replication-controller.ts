import type { ReplicationController } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

export const replicationControllers: Resource<ReplicationController> = {
  group: "",
  version: "v1",
  kind: "ReplicationController",
  plural: "replicationcontrollers",
  namespaced: true,
};

export const replicationControllerKind: KindDefinition<ReplicationController> = {
  resource: replicationControllers,
  schema: "io.k8s.api.core.v1.ReplicationController",
  singular: "replicationcontroller",
  shortNames: ["rc"],
  categories: ["all"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  columns: [nameColumn(), ageColumn()],
};
