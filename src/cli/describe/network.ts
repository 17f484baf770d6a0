// The ways to pods, in words: Service, Ingress and IngressClass.
import type { Ingress, IngressBackend, IngressClass, Service } from "../../api/generated/types.ts";
import { services } from "../../api/kinds/service.ts";
import type { Client } from "../../client/client.ts";
import { annotationsLines, type Describe, head, labelsLines, mapLines } from "./common.ts";
import { endpointsText, slicesOf } from "./endpoints.ts";

export const describeService: Describe<Service> = async (service, client) => {
  const { spec, status, metadata } = service;
  const slices = await slicesOf(client, metadata.namespace ?? "", metadata.name);
  const ports = (spec.ports ?? []).flatMap(({ name, port, protocol = "TCP", targetPort, nodePort }) => [
    `Port:\t${name || "<unset>"}\t${port}/${protocol}\n`,
    `TargetPort:\t${targetPort}/${protocol}\n`,
    ...(nodePort ? [`NodePort:\t${name || "<unset>"}\t${nodePort}/${protocol}\n`] : []),
    `Endpoints:\t${endpointsText(slices, name ?? "")}\n`,
  ]);
  const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? "");
  return [
    head(service),
    labelsLines(service),
    annotationsLines(service),
    mapLines("Selector", spec.selector).replaceAll("\n\t", ","),
    `Type:\t${spec.type ?? ""}\n`,
    ...(spec.ipFamilyPolicy ? [`IP Family Policy:\t${spec.ipFamilyPolicy}\n`] : []),
    ...(spec.ipFamilies ? [`IP Families:\t${spec.ipFamilies.join(",")}\n`] : []),
    `IP:\t${spec.clusterIP ?? ""}\n`,
    `IPs:\t${spec.clusterIPs?.join(",") || "<none>"}\n`,
    ...(ingress.length > 0
      ? [
          `LoadBalancer Ingress:\t${ingress.join(", ")} (${status?.loadBalancer?.ingress?.[0]?.ipMode ?? "VIP"})\n`,
        ]
      : []),
    ...ports,
    `Session Affinity:\t${spec.sessionAffinity ?? ""}\n`,
    ...(spec.externalTrafficPolicy ? [`External Traffic Policy:\t${spec.externalTrafficPolicy}\n`] : []),
    ...(spec.internalTrafficPolicy ? [`Internal Traffic Policy:\t${spec.internalTrafficPolicy}\n`] : []),
  ].join("");
};

export const describeIngress: Describe<Ingress> = async (ingress, client) => {
  const { spec, status, metadata } = ingress;
  const namespace = metadata.namespace ?? "";
  const addresses = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "");
  const fallback = spec?.defaultBackend
    ? await backendText(client, namespace, spec.defaultBackend)
    : "<default>";
  const tls = (spec?.tls ?? []).map(({ secretName, hosts = [] }) =>
    secretName ? `  ${secretName} terminates ${hosts.join(",")}\n` : `  SNI routes ${hosts.join(",")}\n`,
  );
  const rules = await Promise.all(
    (spec?.rules ?? [])
      .flatMap(({ host, http }) => (http ? [{ host, http }] : []))
      .map(async ({ host, http }) => {
        const paths = http.paths.map(
          async ({ path = "", backend }) =>
            `    \t${path} \t${await backendText(client, namespace, backend)}\n`,
        );
        return `  ${host || "*"}\t\n${(await Promise.all(paths)).join("")}`;
      }),
  );
  return [
    `Name:\t${metadata.name}\n`,
    labelsLines(ingress),
    `Namespace:\t${namespace}\n`,
    `Address:\t${addresses.join(",")}\n`,
    `Ingress Class:\t${spec?.ingressClassName ?? "<none>"}\n`,
    `Default backend:\t${fallback}\n`,
    tls.length > 0 ? `TLS:\n${tls.join("")}` : "",
    "Rules:\n  Host\tPath\tBackends\n  ----\t----\t--------\n",
    rules.length > 0 ? rules.join("") : `  *\t*\t${fallback}\n`,
    annotationsLines(ingress),
  ].join("");
};

/** `web:80 (127.0.0.1:80)`, with why there are no addresses in their place. */
async function backendText(
  client: Client,
  namespace: string,
  { service, resource }: IngressBackend,
): Promise<string> {
  if (!service)
    return `APIGroup: ${resource?.apiGroup ?? "<none>"}, Kind: ${resource?.kind}, Name: ${resource?.name}`;
  const { name, port } = service;
  const text = `${name}:${port?.number || port?.name || ""}`;
  const found = await client.find(services, { namespace, name });
  if (!found) return `${text} (<error: services "${name}" not found>)`;
  const slices = await slicesOf(client, namespace, name);
  if (slices.length === 0) return `${text} (<none>)`;
  const served = found.spec.ports?.find((one) =>
    port?.number ? one.port === port.number : one.name === port?.name,
  );
  return `${text} (${endpointsText(slices, served?.name ?? "")})`;
}

export const describeIngressClass: Describe<IngressClass> = (ingressClass) => {
  const { metadata, spec } = ingressClass;
  const { apiGroup, kind, name } = spec?.parameters ?? {};
  return [
    `Name:\t${metadata.name}\n`,
    labelsLines(ingressClass),
    annotationsLines(ingressClass),
    `Controller:\t${spec?.controller ?? ""}\n`,
    spec?.parameters
      ? `Parameters:\n${apiGroup ? `  APIGroup:\t${apiGroup}\n` : ""}  Kind:\t${kind}\n  Name:\t${name}\n`
      : "",
  ].join("");
};
