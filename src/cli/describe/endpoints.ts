// The addresses behind a Service, in words: Endpoints and EndpointSlices, and in one line for what leads to them.
import type { EndpointSlice, Endpoints } from "../../api/generated/types.ts";
import { endpointSlices } from "../../api/kinds/endpoint-slice.ts";
import { SERVICE_NAME } from "../../api/names.ts";
import type { Client } from "../../client/client.ts";
import { annotationsLines, type Describe, head, labelsLines } from "./common.ts";

export async function slicesOf(
  client: Client,
  namespace: string,
  service: string,
): Promise<readonly EndpointSlice[]> {
  const labelSelector = `${SERVICE_NAME}=${service}`;
  const { items } = await client.list<EndpointSlice>(endpointSlices, { namespace, labelSelector });
  return items;
}

// kubectl shows three and counts the rest.
const ENDPOINTS_SHOWN = 3;

/** The ready addresses of the port of that name; of none without a name. */
export function endpointsText(slices: readonly EndpointSlice[], portName: string | undefined): string {
  const all = slices.flatMap(({ endpoints, ports }) => {
    const port = ports?.find(({ name = "" }) => name === portName)?.port;
    if (port === undefined) return [];
    return (endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses }) => addresses.map((address) => `${address}:${port}`));
  });
  const more = all.length > ENDPOINTS_SHOWN ? ` + ${all.length - ENDPOINTS_SHOWN} more...` : "";
  return `${all.slice(0, ENDPOINTS_SHOWN).join(",")}${more}`;
}

export const describeEndpoints: Describe<Endpoints> = (object) => {
  const addresses = (list: readonly { readonly ip: string }[] = []) =>
    list.map(({ ip }) => ip).join(",") || "<none>";
  const subsets = (object.subsets ?? []).map((subset) => {
    const rows = (subset.ports ?? []).map(
      ({ name, port, protocol = "TCP" }) => `    ${name || "<unset>"}\t${port}\t${protocol}\n`,
    );
    return [
      `  Addresses:\t${addresses(subset.addresses)}\n`,
      `  NotReadyAddresses:\t${addresses(subset.notReadyAddresses)}\n`,
      rows.length > 0
        ? `  Ports:\n    Name\tPort\tProtocol\n    ----\t----\t--------\n${rows.join("")}\n`
        : "\n",
    ].join("");
  });
  return `${head(object)}${labelsLines(object)}${annotationsLines(object)}Subsets:\n${subsets.join("")}`;
};

export const describeEndpointSlice: Describe<EndpointSlice> = (slice) => {
  const ports = (slice.ports ?? []).map(
    ({ name, port, protocol = "TCP" }) => `  ${name || "<unset>"}\t${port ?? "<unset>"}\t${protocol}\n`,
  );
  const endpoints = (slice.endpoints ?? []).map(
    ({ addresses, conditions, hostname, targetRef, nodeName, zone }) =>
      [
        `  - Addresses:\t${addresses.join(", ")}\n`,
        `    Conditions:\n      Ready:\t${conditions?.ready ?? "<unset>"}\n`,
        `    Hostname:\t${hostname ?? "<unset>"}\n`,
        targetRef ? `    TargetRef:\t${targetRef.kind}/${targetRef.name}\n` : "",
        `    NodeName:\t${nodeName ?? "<unset>"}\n`,
        `    Zone:\t${zone ?? "<unset>"}\n`,
      ].join(""),
  );
  return [
    head(slice),
    labelsLines(slice),
    annotationsLines(slice),
    `AddressType:\t${slice.addressType}\n`,
    ports.length > 0
      ? `Ports:\n  Name\tPort\tProtocol\n  ----\t----\t--------\n${ports.join("")}`
      : "Ports: <unset>\n",
    endpoints.length > 0 ? `Endpoints:\n${endpoints.join("")}` : "Endpoints: <none>\n",
  ].join("");
};
