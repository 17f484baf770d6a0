import type { Node } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

export const nodes: Resource<Node> = {
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  namespaced: false,
};

export const nodeKind: KindDefinition<Node> = {
  resource: nodes,
  schema: "io.k8s.api.core.v1.Node",
  singular: "node",
  shortNames: ["no"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  columns: [nameColumn(), ageColumn()],
};
