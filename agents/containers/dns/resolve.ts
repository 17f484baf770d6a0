// Names as a container of the cluster resolves them: hosts file, search list, the nameservers of its resolv.conf. Names that
// are none of the cluster's are left to the machine's own resolver: its nameservers stand in for what CoreDNS forwards to.
import { isIP } from "node:net";
import { ask, type DnsRecord } from "./ask.ts";
import { candidates, type ResolverConfig } from "./config.ts";

export interface Resolved {
  /** The full name that was found. */
  readonly name: string;
  readonly addresses: readonly string[];
  /** Set where the name is an alias of one that the cluster does not know. */
  readonly alias?: string;
}

/** The addresses of `name`; undefined where the cluster knows no such name. Rejects where no server answers. */
export async function resolveName(name: string, config: ResolverConfig): Promise<Resolved | undefined> {
  const bare = name.replace(/\.$/, "");
  if (isIP(bare)) return { name, addresses: [bare] };
  const listed = config.hosts.get(bare.toLowerCase());
  if (listed) return { name, addresses: listed };
  for (const candidate of candidates(name, config)) {
    const answers = await askAny(candidate, "A", config);
    if (!answers) continue;
    const addresses = answers.filter(({ type }) => type === "A").map(({ data }) => String(data));
    const alias = answers.filter(({ type }) => type === "CNAME").at(-1);
    if (addresses.length > 0) return { name: candidate, addresses };
    if (alias) return { name: candidate, addresses: [], alias: String(alias.data) };
  }
  return undefined;
}

/** The name that belongs to an address; undefined where none does. */
export async function reverseName(ip: string, config: ResolverConfig): Promise<string | undefined> {
  if (isIP(ip) !== 4) return undefined;
  const name = `${ip.split(".").reverse().join(".")}.in-addr.arpa`;
  const answers = await askAny(name, "PTR", config).catch(() => undefined);
  const pointer = answers?.find(({ type }) => type === "PTR");
  return pointer && String(pointer.data);
}

/** The records of one full name from the first server that says something of it; undefined: there is no such name. */
export async function askAny(
  name: string,
  type: string,
  { servers }: Pick<ResolverConfig, "servers">,
): Promise<readonly DnsRecord[] | undefined> {
  let failure: unknown;
  for (const server of servers) {
    try {
      const { code, answers } = await ask(server, name, type);
      if (code === "NOERROR") return answers;
      // REFUSED: none of that server's business.
      if (code === "NXDOMAIN" || code === "REFUSED") return undefined;
      failure = new Error(`server failure (${code})`);
    } catch (error) {
      failure = error;
    }
  }
  if (failure) throw failure;
  return undefined;
}
