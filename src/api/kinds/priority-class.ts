import type { PriorityClass } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

export const priorityClasses: Resource<PriorityClass> = {
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  namespaced: false,
};

export const priorityClassKind: KindDefinition<PriorityClass> = {
  resource: priorityClasses,
  schema: "io.k8s.api.scheduling.v1.PriorityClass",
  singular: "priorityclass",
  shortNames: ["pc"],
  nameRule: "dns-subdomain",
  columns: [nameColumn(), ageColumn()],
};
