import type { Service } from "../../generated/types.ts";
import { ageColumn, type Column, nameColumn } from "../../kind.ts";
import { formatLabels } from "../../selectors.ts";

export const serviceColumns: readonly Column<Service>[] = [
  /* @__PURE__ */ nameColumn(),
  {
    name: "Type",
    type: "string",
    priority: 0,
    description: "How the service is published.",
    value: ({ spec }) => spec.type ?? "",
  },
  {
    name: "Cluster-IP",
    type: "string",
    priority: 0,
    description: "Address inside the cluster.",
    value: ({ spec }) => spec.clusterIPs?.[0] || spec.clusterIP || "<none>",
  },
  {
    name: "External-IP",
    type: "string",
    priority: 0,
    description: "Addresses outside the cluster.",
    value: externalAddress,
  },
  {
    name: "Port(s)",
    type: "string",
    priority: 0,
    description: "Ports, each with its node port where there is one.",
    value: ({ spec }) =>
      (spec.ports ?? [])
        .map(({ port, nodePort, protocol }) => `${nodePort ? `${port}:${nodePort}` : port}/${protocol}`)
        .join(",") || "<none>",
  },
  /* @__PURE__ */ ageColumn(),
  {
    name: "Selector",
    type: "string",
    priority: 1,
    description: "Which pods it stands for.",
    value: ({ spec }) => formatLabels(spec.selector),
  },
];

function externalAddress({ spec, status }: Service): string {
  const external = spec.externalIPs ?? [];
  switch (spec.type) {
    case "ExternalName":
      return spec.externalName ?? "";
    case "LoadBalancer": {
      const balancers = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "");
      return [...new Set(balancers.filter(Boolean))].sort().concat(external).join(",") || "<pending>";
    }
    default:
      return external.join(",") || "<none>";
  }
}
