import type { Pod } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

export const pods: Resource<Pod> = {
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  namespaced: true,
};

export const podKind: KindDefinition<Pod> = {
  resource: pods,
  schema: "io.k8s.api.core.v1.Pod",
  singular: "pod",
  shortNames: ["po"],
  categories: ["all"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  columns: [nameColumn(), ageColumn()],
};
