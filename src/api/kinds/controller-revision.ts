import type { ControllerRevision } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

export const controllerRevisions: Resource<ControllerRevision> = {
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  namespaced: true,
};

export const controllerRevisionKind: KindDefinition<ControllerRevision> = {
  resource: controllerRevisions,
  schema: "io.k8s.api.apps.v1.ControllerRevision",
  singular: "controllerrevision",
  nameRule: "dns-subdomain",
  columns: [nameColumn(), ageColumn()],
};
