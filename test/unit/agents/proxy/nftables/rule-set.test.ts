import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Backend } from "../../../../../agents/proxy/endpoints.ts";
import {
  type KernelPath,
  kernelPathOf,
  NO_RULES,
  planChange,
  ruleSetOf,
} from "../../../../../agents/proxy/nftables/rule-set.ts";
import type { Frontend } from "../../../../../agents/proxy/service-table.ts";

const backend = (host: string, port = 8080): Backend => ({ host, port, key: `${host}:${port}`, pod: host });
const frontend = (changes: Partial<Frontend> = {}): Frontend => ({
  key: "127.16.192.2:80",
  host: "127.16.192.2",
  port: 80,
  service: "default/web",
  mode: "tcp",
  backends: [backend("127.16.1.2"), backend("127.16.2.2")],
  affinityMs: 0,
  balancing: { mode: "round-robin", maxConnections: 0, idleMs: 0, problems: [] },
  ...changes,
});
const balancing = (changes: Partial<Frontend["balancing"]>) => ({ ...frontend().balancing, ...changes });

describe("which connections the kernel takes", () => {
  test.each<[string, Partial<Frontend>, boolean]>([
    ["a plain Service's", {}, true],
    ["one endpoint's", { backends: [backend("127.16.1.2")] }, true],
    ["by chance", { balancing: balancing({ mode: "random" }) }, true],
    ["with affinity", { affinityMs: 10_800_000 }, true],
    ["without endpoints", { backends: [] }, false],
    ["HTTP, request by request", { mode: "http" }, false],
    ["a health check's", { mode: "health" }, false],
    ["by the client's node", { byNode: new Map() }, false],
    ["no more than so many", { balancing: balancing({ maxConnections: 3 }) }, false],
    ["ended when idle", { balancing: balancing({ idleMs: 1_000 }) }, false],
    ["to the least busy", { balancing: balancing({ mode: "least-connections" }) }, false],
    ["by the client's address", { balancing: balancing({ mode: "source-address" }) }, false],
    [
      "to another machine, which no loopback address reaches",
      { backends: [backend("127.16.1.2"), backend("192.0.2.7")] },
      false,
    ],
    ["to an IPv6 address", { host: "::1" }, false],
  ])("%s", (_, changes, taken) => {
    expect(kernelPathOf(frontend(changes)) !== undefined).toBe(taken);
  });
});

describe("the rules", () => {
  const rulesOf = (changes: Partial<Frontend>) =>
    [...(kernelPathOf(frontend(changes))?.chains.values() ?? [])].flat();

  test("give each endpoint its turn", () => {
    expect(rulesOf({})).toEqual([
      "ip protocol tcp dnat to numgen inc mod 2 map { 0 : 127.16.1.2 . 8080, 1 : 127.16.2.2 . 8080 }",
    ]);
    expect(rulesOf({ backends: [backend("127.16.1.2")] })).toEqual([
      "ip protocol tcp dnat to 127.16.1.2:8080",
    ]);
    expect(rulesOf({ balancing: balancing({ mode: "random" }) })[0]).toContain("numgen random mod 2");
  });

  test("keep a client at its endpoint, and remember it while other endpoints come and go", () => {
    const two = kernelPathOf(frontend({ affinityMs: 5_000 })) as KernelPath;
    const three = kernelPathOf(
      frontend({ affinityMs: 5_000, backends: [...frontend().backends, backend("127.16.3.2")] }),
    ) as KernelPath;
    expect([...two.sets.values()]).toEqual([5, 5]);
    expect([...three.sets.keys()]).toEqual(expect.arrayContaining([...two.sets.keys()]));
    const [first, second, choice] = two.chains.get(two.chain) as string[];
    expect(first).toMatch(/^ip saddr @clients-\w+ goto endpoint-\w+$/);
    expect(second).not.toBe(first);
    expect(choice).toMatch(
      /^jhash ip saddr mod 2 seed 0x1 vmap \{ 0 : goto endpoint-\w+, 1 : goto endpoint-/,
    );
    const commands = planChange("t", ruleSetOf([two]), ruleSetOf([three])).join("\n");
    expect(commands).not.toContain("delete set");
  });
});

interface Kernel {
  /** Chains with their rules; sets have none. */
  readonly named: Map<string, string[]>;
  readonly elements: Map<string, string>;
}

/** What nft would make of the commands: refuses what names something that is not there, or removes what is named. */
function commit(commands: readonly string[], { named, elements }: Kernel): void {
  const isUsed = (name: string) =>
    [...named.values()].flat().some((rule) => new RegExp(`[ @]${name}\\b`).test(rule)) ||
    [...elements.values()].includes(name);
  const verbs: Record<string, (name: string, rest: string) => void> = {
    "add chain": (name) => named.set(name, []),
    "add set": (name) => named.set(name, []),
    "add rule": (name, rest) => {
      for (const [, other = ""] of rest.matchAll(/(?:goto |@)([\w-]+)/g)) expect(named.has(other)).toBe(true);
      named.get(name)?.push(rest.slice(name.length));
    },
    "add element": (_, rest) => {
      const [, place = "", chain = ""] = /\{ (\S+ \. \d+) : goto ([\w-]+)/.exec(rest) ?? [];
      expect([elements.has(place), named.has(chain)]).toEqual([false, true]);
      elements.set(place, chain);
    },
    "delete element": (_, rest) => {
      expect(elements.delete(/\{ (\S+ \. \d+)/.exec(rest)?.[1] ?? "")).toBe(true);
    },
    "flush chain": (name) => named.set(name, []),
    "delete chain": (name) => expect([isUsed(name), named.delete(name)]).toEqual([false, true]),
    "delete set": (name) => expect([isUsed(name), named.delete(name)]).toEqual([false, true]),
  };
  for (const command of commands) {
    const [, verb = "", rest = ""] = /^(\w+ \w+) ip t (.*)$/.exec(command) ?? [];
    verbs[verb]?.(rest.split(" ")[0] ?? "", rest);
    expect(Object.keys(verbs)).toContain(verb);
  }
}

describe("the commands from one rule-set to the next", () => {
  const one = fc.record({
    port: fc.integer({ min: 1, max: 4 }),
    affinityMs: fc.constantFrom(0, 0, 1_000, 2_000),
    hosts: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }),
    mode: fc.constantFrom("round-robin" as const, "random" as const),
  });
  const frontends = fc.uniqueArray(one, { selector: ({ port }) => port }).map((all) =>
    all.map(({ port, affinityMs, hosts, mode }) =>
      frontend({
        port,
        service: `default/s${port}`,
        affinityMs,
        backends: hosts.map((host) => backend(`127.16.1.${host}`)),
        balancing: balancing({ mode }),
      }),
    ),
  );
  const ruleSet = (all: readonly Frontend[]) => ruleSetOf(all.flatMap((each) => kernelPathOf(each) ?? []));

  test("are valid in their order, lead to just that rule-set, and leave no way to what is gone", () => {
    fc.assert(
      fc.property(fc.array(frontends, { minLength: 1, maxLength: 6 }), (states) => {
        const kernel: Kernel = { named: new Map(), elements: new Map() };
        let before = NO_RULES;
        for (const all of states) {
          const after = ruleSet(all);
          commit(planChange("t", before, after), kernel);
          expect(new Set(kernel.named.keys())).toEqual(
            new Set([...after.chains.keys(), ...after.sets.keys()]),
          );
          expect(kernel.elements).toEqual(after.elements);
          for (const [name, rules] of after.chains)
            expect(kernel.named.get(name)).toEqual(rules.map((rule) => ` ${rule}`));
          const wanted = new Set(all.flatMap(({ backends }) => backends.map(({ host }) => host)));
          for (const rule of [...kernel.named.values()].flat())
            for (const [host] of rule.matchAll(/127\.16\.1\.\d/g)) expect(wanted.has(host)).toBe(true);
          before = after;
        }
      }),
    );
  });

  test("are none where nothing has changed", () => {
    fc.assert(
      fc.property(frontends, (all) => {
        expect(planChange("t", ruleSet(all), ruleSet(structuredClone(all)))).toEqual([]);
      }),
    );
  });
});
