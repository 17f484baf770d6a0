import type { Deployment } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

export const deployments: Resource<Deployment> = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  namespaced: true,
};

export const deploymentKind: KindDefinition<Deployment> = {
  resource: deployments,
  schema: "io.k8s.api.apps.v1.Deployment",
  singular: "deployment",
  shortNames: ["deploy"],
  categories: ["all"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  columns: [nameColumn(), ageColumn()],
};
