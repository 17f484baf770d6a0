// The Service at whose address Ingresses are served: made by the ingress controller with the first Ingress, without a selector, since
// the proxies themselves answer there. A port's appProtocol says so.
import type { Ingress, IngressClass } from "./generated/types.ts";
import { CLASS_ANNOTATION } from "./kinds/ingress/validate.ts";

export const INGRESS_SERVICE = { namespace: "kube-system", name: "kubemu-ingress" } as const;
export const INGRESS_CLASS = "kubemu";
/** Of an IngressClass' spec: whose it is. */
export const INGRESS_CONTROLLER = "kubemu.dev/ingress";
export const INGRESS_HTTP = "kubemu.dev/ingress-http";
export const INGRESS_HTTPS = "kubemu.dev/ingress-https";

/** Whether kubemu serves it: its class says so, or, in the old way, its annotation names kubemu's own. */
export function isServedIngress(
  { metadata, spec }: Readonly<Ingress>,
  classOf: (name: string) => Readonly<IngressClass> | undefined,
): boolean {
  const name = spec?.ingressClassName ?? metadata.annotations?.[CLASS_ANNOTATION];
  return name !== undefined && classOf(name)?.spec?.controller === INGRESS_CONTROLLER;
}
