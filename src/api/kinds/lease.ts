// Lease: how a node agent says that it is alive.
import type { Lease } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { type FieldError, invalid } from "../status-error.ts";
import { validateNonNegative } from "../validation/numbers.ts";

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
  createsOnUpdate: true,
  defaults(lease) {
    lease.spec ??= {};
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    const { leaseDurationSeconds: duration } = spec;
    if (duration !== undefined && duration <= 0) {
      errors.push(invalid("spec.leaseDurationSeconds", duration, "must be greater than 0"));
    }
    return [...errors, ...validateNonNegative(spec.leaseTransitions, "spec.leaseTransitions")];
  },
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "Holder",
      type: "string",
      priority: 0,
      description: "Who holds the lease.",
      value: (lease) => lease.spec.holderIdentity ?? "",
    },
    /* @__PURE__ */ ageColumn(),
  ],
};
