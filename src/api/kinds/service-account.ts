import type { ServiceAccount } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

export const serviceAccounts: Resource<ServiceAccount> = {
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  namespaced: true,
};

export const serviceAccountKind: KindDefinition<ServiceAccount> = {
  resource: serviceAccounts,
  schema: "io.k8s.api.core.v1.ServiceAccount",
  singular: "serviceaccount",
  shortNames: ["sa"],
  nameRule: "dns-subdomain",
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "Secrets",
      type: "string",
      priority: 0,
      description: "How many secrets its pods may use.",
      value: (account) => account.secrets?.length ?? 0,
    },
    /* @__PURE__ */ ageColumn(),
  ],
};
