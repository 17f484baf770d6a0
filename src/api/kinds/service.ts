// Service. Addresses and node ports are allocated by the server (ClusterIP, nodePort) and the service-address controller.
import type { Service } from "../generated/types.ts";
import type { KindDefinition } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { balancingOf } from "../service-balancing.ts";
import { serviceColumns } from "./service/columns.ts";
import { defaultService } from "./service/defaults.ts";
import { carryOver } from "./service/update.ts";
import { validateService, validateServiceUpdate } from "./service/validate.ts";

export const services: Resource<Service> = {
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  namespaced: true,
};

export const serviceKind: KindDefinition<Service> = {
  resource: services,
  schema: "io.k8s.api.core.v1.Service",
  singular: "service",
  shortNames: ["svc"],
  categories: ["all"],
  nameRule: "dns-1035-label",
  hasStatus: true,
  hasGeneration: false,
  defaults: defaultService,
  prepareCreate(service) {
    service.status = { loadBalancer: {} };
  },
  prepareUpdate(service, old, { subresource }) {
    if (subresource === "") carryOver(service.spec, old.spec);
  },
  validate: (service, { subresource }) => (subresource === "status" ? [] : validateService(service)),
  validateUpdate: (service, old, { subresource }) =>
    subresource === "status" ? [] : validateServiceUpdate(service, old),
  warnings: (service) => [...balancingOf(service).problems, ...notForwarded(service)],
  columns: serviceColumns,
  fields: ({ spec }) => ({ "spec.clusterIP": spec.clusterIP ?? "", "spec.type": spec.type ?? "" }),
};

/** Unlike Kubernetes: the proxy forwards TCP alone. Headless Services need no proxy, and kube-dns is answered by the DNS server itself. */
function notForwarded({ metadata, spec }: Service): string[] {
  const isDns = metadata.namespace === "kube-system" && metadata.name === "kube-dns";
  if (isDns || spec.type === "ExternalName" || spec.clusterIP === "None") return [];
  return (spec.ports ?? []).flatMap(({ protocol = "TCP" }, index) =>
    protocol === "TCP"
      ? []
      : [
          `spec.ports[${index}].protocol: kubemu accepts ${protocol} and does not forward it: it has TCP only`,
        ],
  );
}
