// Ingress: which Service answers for which host and path. The proxy serves it; admission gives it the default class.
import type { Ingress, IngressLoadBalancerIngress, IngressRule, IngressTLS } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn, textColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { validateIngress } from "./ingress/validate.ts";

export const ingresses: Resource<Ingress> = {
  group: "networking.k8s.io",
  version: "v1",
  kind: "Ingress",
  plural: "ingresses",
  namespaced: true,
};

// kubectl shows so many hosts and such a width of addresses.
const MOST_HOSTS = 3;
const ADDRESS_WIDTH = 16;

export const ingressKind: KindDefinition<Ingress> = {
  resource: ingresses,
  schema: "io.k8s.api.networking.v1.Ingress",
  singular: "ingress",
  shortNames: ["ing"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  defaults(ingress) {
    ingress.spec ??= {};
  },
  prepareCreate(ingress) {
    ingress.status = { loadBalancer: {} };
  },
  validate: (ingress, { subresource }) => (subresource === "status" ? [] : validateIngress(ingress)),
  columns: [
    /* @__PURE__ */ nameColumn(),
    /* @__PURE__ */ textColumn(
      "Class",
      "Its IngressClass.",
      ({ spec }) => spec?.ingressClassName ?? "<none>",
    ),
    /* @__PURE__ */ textColumn("Hosts", "Hosts of its rules.", ({ spec }) => hostsText(spec?.rules)),
    /* @__PURE__ */ textColumn("Address", "Where it can be reached.", ({ status }) =>
      addressText(status?.loadBalancer?.ingress),
    ),
    /* @__PURE__ */ textColumn("Ports", "Ports of its rules.", ({ spec }) => portsText(spec?.tls)),
    /* @__PURE__ */ ageColumn(),
  ],
};

function hostsText(rules: readonly IngressRule[] = []): string {
  const hosts = rules.flatMap(({ host }) => (host ? [host] : []));
  if (hosts.length === 0) return "*";
  const shown = hosts.slice(0, MOST_HOSTS).join(",");
  return hosts.length > MOST_HOSTS ? `${shown} + ${hosts.length - MOST_HOSTS} more...` : shown;
}

function addressText(addresses: readonly IngressLoadBalancerIngress[] = []): string {
  const text = [...new Set(addresses.map(({ ip, hostname }) => ip || hostname || ""))].sort().join(",");
  return text.length > ADDRESS_WIDTH ? `${text.slice(0, ADDRESS_WIDTH - 3)}...` : text;
}

const portsText = (tls: readonly IngressTLS[] = []): string => (tls.length > 0 ? "80, 443" : "80");
