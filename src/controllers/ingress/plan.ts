// Pure: the Service at which Ingresses are served, and what their status says of it.
import type { IngressLoadBalancerIngress, Service } from "../../api/generated/types.ts";
import { INGRESS_HTTP, INGRESS_HTTPS, INGRESS_SERVICE } from "../../api/ingress-service.ts";
import type { Draft } from "../../api/object.ts";

export const INGRESS_SERVICE_OBJECT: Draft<Service> = {
  metadata: { ...INGRESS_SERVICE, labels: { "app.kubernetes.io/name": "kubemu-ingress" } },
  spec: {
    type: "LoadBalancer",
    ports: [
      { name: "http", port: 80, appProtocol: INGRESS_HTTP },
      { name: "https", port: 443, appProtocol: INGRESS_HTTPS },
    ],
  },
};

/** Where an Ingress can be reached: where the Service can. */
export function planAddresses(service: Readonly<Service> | undefined): IngressLoadBalancerIngress[] {
  return (service?.status?.loadBalancer?.ingress ?? []).map(({ ip, hostname, ports }) => ({
    ...(ip ? { ip } : {}),
    ...(hostname ? { hostname } : {}),
    ...(ports ? { ports: ports.map((each) => ({ ...each })) } : {}),
  }));
}
