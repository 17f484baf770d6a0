// Where a tool connects to for a name and a port: the cluster's addresses first, then the machine's. A port that the
// cluster's user may not bind is served elsewhere; the cluster's DNS says where (agents/proxy/dns/zone.ts).
import dns from "node:dns/promises";
import { askAny, resolveName } from "../dns/resolve.ts";
import type { Tool } from "./tool.ts";

export interface Place {
  /** What the name stands for: what is shown. */
  readonly address: string;
  /** Where to connect to. */
  readonly host: string;
  readonly port: number;
}

/** Undefined where nobody knows the name. */
export async function placeOf(
  name: string,
  port: number,
  { config }: Pick<Tool, "config">,
  { clusterOnly = false } = {},
): Promise<Place | undefined> {
  const found = await resolveName(name, config).catch(() => undefined);
  if (clusterOnly && (!found || found.alias)) return undefined;
  const address =
    found && !found.alias
      ? found.addresses[0]
      : (await dns.lookup(found?.alias ?? name).catch(() => undefined))?.address;
  if (address === undefined) return undefined;
  return { address, ...(await standIn(address, port, config)) };
}

async function standIn(
  address: string,
  port: number,
  config: Tool["config"],
): Promise<{ host: string; port: number }> {
  const asIs = { host: address, port };
  if (!/^(127|10)\./.test(address)) return asIs;
  const name = `_${port}._tcp.${address.replaceAll(".", "-")}.at.cluster.local`;
  const answers = await askAny(name, "TXT", config).catch(() => undefined);
  const text = answers?.find(({ type }) => type === "TXT")?.data as readonly Buffer[] | undefined;
  const [, host, mapped] = /^(.+):(\d+)$/.exec(text?.join("") ?? "") ?? [];
  return host ? { host, port: Number(mapped) } : asIs;
}
