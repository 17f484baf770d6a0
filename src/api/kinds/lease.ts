import type { Lease } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

export const leases: Resource<Lease> = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
};

export const leaseKind: KindDefinition<Lease> = {
  resource: leases,
  schema: "io.k8s.api.coordination.v1.Lease",
  singular: "lease",
  nameRule: "dns-subdomain",
  columns: [nameColumn(), ageColumn()],
};
