// Pure: which Services the kernel can balance, the rules that make it, and the commands that lead from one rule-set to the next
// (docs/decisions/0006-nftables.md). Chains and sets are named after what is in them: one that is there is never changed, so a change of
// endpoints adds a chain, points the addresses to it and removes the old one, in one transaction.
import { isIPv4 } from "node:net";
import type { Backend } from "../endpoints.ts";
import type { Frontend } from "../service-table.ts";

/** One address and port, and the rules that a new connection to it goes through. */
export interface KernelPath {
  readonly host: string;
  readonly port: number;
  /** The chain that it goes to first. */
  readonly chain: string;
  /** That chain and those behind it, each with its rules; what a chain goes to stands before it. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Who has been sent where (ClientIP), and for how many seconds that holds. */
  readonly sets: ReadonlyMap<string, number>;
}

export interface RuleSet {
  /** `host . port` → chain */
  readonly elements: ReadonlyMap<string, string>;
  readonly chains: KernelPath["chains"];
  readonly sets: KernelPath["sets"];
}

export const NO_RULES: RuleSet = { elements: new Map(), chains: new Map(), sets: new Map() };

const isLoopback = (host: string) => isIPv4(host) && host.startsWith("127.");

/**
 * Undefined where the connection must reach the proxy itself: requests that are balanced one by one, limits, idle time-outs, what depends on
 * the client's node, and a Service without endpoints, whose connections are reset.
 */
export function kernelPathOf(frontend: Frontend): KernelPath | undefined {
  const { host, port, mode, backends, byNode, balancing } = frontend;
  const isPlain = mode === "tcp" && !byNode && balancing.maxConnections === 0 && balancing.idleMs === 0;
  const isEven = balancing.mode === "round-robin" || balancing.mode === "random";
  const canReach = isLoopback(host) && backends.length > 0 && backends.every((each) => isLoopback(each.host));
  if (!isPlain || !isEven || !canReach) return undefined;
  const { chains, sets } = frontend.affinityMs > 0 ? sticky(frontend) : even(frontend);
  return { host, port, chain: [...chains.keys()].at(-1) as string, chains, sets };
}

type Rules = Pick<KernelPath, "chains" | "sets">;

function even({ backends, balancing }: Frontend): Rules {
  const [only] = backends;
  const turn = balancing.mode === "random" ? "random" : "inc";
  const targets = backends.map(({ host, port }, index) => `${index} : ${host} . ${port}`).join(", ");
  const target =
    backends.length === 1
      ? `${only?.host}:${only?.port}`
      : `numgen ${turn} mod ${backends.length} map { ${targets} }`;
  return { chains: named("service", [`ip protocol tcp dnat to ${target}`]), sets: new Map() };
}

/** A client goes where it went last, as long as that is there and not too long ago; else its address decides. */
function sticky({ service, backends, affinityMs }: Frontend): Rules {
  const seconds = Math.ceil(affinityMs / 1000);
  const sets = new Map<string, number>();
  const chains = new Map<string, readonly string[]>();
  const first: string[] = [];
  const verdicts: string[] = [];
  for (const backend of backends) {
    const set = `clients-${digest([service, backend.key, backend.pod ?? "", String(seconds)])}`;
    const [chain, rules] = [...named("endpoint", stickyEndpoint(set, backend))][0] as [string, string[]];
    sets.set(set, seconds);
    chains.set(chain, rules);
    first.push(`ip saddr @${set} goto ${chain}`);
    verdicts.push(`${verdicts.length} : goto ${chain}`);
  }
  const choice = `jhash ip saddr mod ${backends.length} seed 0x1 vmap { ${verdicts.join(", ")} }`;
  const rules = [...first, backends.length > 1 ? choice : `goto ${[...chains.keys()][0]}`];
  return { chains: new Map([...chains, ...named("service", rules)]), sets };
}

const stickyEndpoint = (set: string, { host, port }: Backend) => [
  `update @${set} { ip saddr }`,
  `ip protocol tcp dnat to ${host}:${port}`,
];

const named = (what: string, rules: readonly string[]) => new Map([[`${what}-${digest(rules)}`, rules]]);

// Loaded when there is something to name: a proxy in userspace needs none of it.
const digest = (texts: readonly string[]) =>
  process
    .getBuiltinModule("node:crypto")
    .createHash("sha256")
    .update(texts.join("\n"))
    .digest("hex")
    .slice(0, 16);

/** The first of two that claim the same place counts. */
export function ruleSetOf(paths: readonly KernelPath[]): RuleSet {
  const elements = new Map<string, string>();
  const chains = new Map<string, readonly string[]>();
  const sets = new Map<string, number>();
  for (const path of paths) {
    const element = `${path.host} . ${path.port}`;
    if (elements.has(element)) continue;
    elements.set(element, path.chain);
    for (const [name, rules] of path.chains) chains.set(name, rules);
    for (const [name, seconds] of path.sets) sets.set(name, seconds);
  }
  return { elements, chains, sets };
}

/**
 * A table of this process's alone: the kernel removes it when the process is gone, however it ended. Only what opens a connection is
 * looked at: one that was there before the table stays where it is.
 */
export const tableCommands = (table: string): string[] => [
  `add table ip ${table} { flags owner; }`,
  `delete table ip ${table}`,
  `add table ip ${table} { flags owner; }`,
  `add map ip ${table} services { type ipv4_addr . inet_service : verdict; }`,
  `add chain ip ${table} output { type nat hook output priority -100; }`,
  `add rule ip ${table} output tcp flags syn / fin,syn,rst,ack ip daddr . tcp dport vmap @services`,
];

/** One transaction's commands; none where nothing changes. What is named must be there, and what names it gone, when its turn comes. */
export function planChange(table: string, before: RuleSet, after: RuleSet): string[] {
  const inTable = (what: string, rest: string) => `${what} ip ${table} ${rest}`;
  const added = <T>(of: ReadonlyMap<string, T>, than: ReadonlyMap<string, T>) =>
    [...of].filter(([name]) => !than.has(name));
  const newChains = added(after.chains, before.chains);
  const oldChains = added(before.chains, after.chains).map(([name]) => name);
  const removed = [...before.elements].filter(([place, chain]) => after.elements.get(place) !== chain);
  const pointed = [...after.elements].filter(([place, chain]) => before.elements.get(place) !== chain);
  return [
    ...added(after.sets, before.sets).map(([name, seconds]) =>
      inTable("add set", `${name} { type ipv4_addr; flags dynamic,timeout; timeout ${seconds}s; }`),
    ),
    ...newChains.map(([name]) => inTable("add chain", name)),
    ...newChains.flatMap(([name, rules]) => rules.map((rule) => inTable("add rule", `${name} ${rule}`))),
    ...removed.map(([place]) => inTable("delete element", `services { ${place} }`)),
    ...pointed.map(([place, chain]) => inTable("add element", `services { ${place} : goto ${chain} }`)),
    ...oldChains.map((name) => inTable("flush chain", name)),
    ...oldChains.map((name) => inTable("delete chain", name)),
    ...added(before.sets, after.sets).map(([name]) => inTable("delete set", name)),
  ];
}
