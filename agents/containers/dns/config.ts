// What a container's resolver is told: the files that its node agent wrote below $KUBEMU_ROOT, and where the cluster's DNS
// server really listens, as port 53 may not be its.
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import path from "node:path";

export interface NameServer {
  /** As resolv.conf says. */
  readonly address: string;
  /** Where to send to. */
  readonly host: string;
  readonly port: number;
}

export interface ResolverConfig {
  readonly servers: readonly NameServer[];
  readonly search: readonly string[];
  readonly ndots: number;
  /** Lower-case name → addresses, from the hosts file. */
  readonly hosts: ReadonlyMap<string, readonly string[]>;
}

const DNS_PORT = 53;

/** `env`: the container's. Nothing is in it where the process is in no container. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ResolverConfig {
  const root = env["KUBEMU_ROOT"];
  const read = (file: string) => {
    try {
      return root === undefined ? "" : readFileSync(path.join(root, file), "utf8");
    } catch {
      return "";
    }
  };
  return {
    ...parseResolvConf(read("etc/resolv.conf"), {
      service: env["KUBEMU_DNS_SERVICE"],
      place: env["KUBEMU_DNS"],
    }),
    hosts: parseHosts(read("etc/hosts")),
  };
}

/** The nameserver `service` is to be asked at `place` (`HOST:PORT`). */
export function parseResolvConf(
  text: string,
  { service, place = "" }: { service?: string | undefined; place?: string | undefined } = {},
): Omit<ResolverConfig, "hosts"> {
  const [, host, port] = /^(.+):(\d+)$/.exec(place) ?? [];
  const servers: NameServer[] = [];
  let search: string[] = [];
  let ndots = 1;
  for (const line of text.split("\n")) {
    const [keyword = "", ...values] = line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/);
    if (keyword === "nameserver" && isIP(values[0] ?? "")) {
      const address = values[0] as string;
      const isCluster = address === service && host !== undefined;
      servers.push({ address, host: isCluster ? host : address, port: isCluster ? Number(port) : DNS_PORT });
    } else if (keyword === "search") search = values;
    else if (keyword === "options")
      for (const option of values) ndots = Number(/^ndots:(\d+)$/.exec(option)?.[1] ?? ndots);
  }
  return { servers, search, ndots };
}

export function parseHosts(text: string): Map<string, readonly string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (!isIP(address)) continue;
    for (const name of names)
      hosts.set(name.toLowerCase(), [...(hosts.get(name.toLowerCase()) ?? []), address]);
  }
  return hosts;
}

/**
 * The full names to try for `name`, in order, as resolvers do: with fewer than `ndots` dots the search list comes first, else
 * the name itself; a dot at the end means the name as it is.
 */
export function candidates(
  name: string,
  { search, ndots }: Pick<ResolverConfig, "search" | "ndots">,
): string[] {
  if (name.endsWith(".")) return [name.slice(0, -1)];
  const searched = search.map((domain) => `${name}.${domain.replace(/\.$/, "")}`);
  return name.split(".").length - 1 >= ndots ? [name, ...searched] : [...searched, name];
}
