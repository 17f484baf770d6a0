import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Balancer, createBalancer, type Link } from "../../../../agents/proxy/balancer.ts";
import type { Backend } from "../../../../agents/proxy/endpoints.ts";
import { pickEndpoint, preferredOrder } from "../../../../agents/proxy/pick-endpoint.ts";
import type { Frontend } from "../../../../agents/proxy/service-table.ts";
import type { Clock } from "../../../../src/base/clock.ts";

const backend = (port: number): Backend => ({ host: "127.0.0.1", port, key: `127.0.0.1:${port}` });
const some = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 9 });
const ports = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1 });

describe("picking an endpoint", () => {
  test("tries each once, refusing ones last", () => {
    fc.assert(
      fc.property(ports, some, fc.nat(), (all, avoided, turn) => {
        const tried: number[] = [];
        for (;;) {
          const picked = pickEndpoint(all.map(backend), {
            turn,
            isAvoided: ({ port }) => avoided.includes(port),
            isTried: ({ port }) => tried.includes(port),
          });
          if (!picked) break;
          tried.push(picked.port);
        }
        expect([...tried].sort()).toEqual([...all].sort());
        const firstAvoided = tried.findIndex((port) => avoided.includes(port));
        if (firstAvoided >= 0)
          expect(tried.slice(firstAvoided).every((port) => avoided.includes(port))).toBe(true);
      }),
    );
  });

  test("for a client moves only the clients of an endpoint that is gone", () => {
    fc.assert(
      fc.property(ports, fc.ipV4(), fc.nat(), (all, client, which) => {
        const gone = all[which % all.length];
        const before = preferredOrder(all.map(backend), client);
        const after = preferredOrder(all.filter((port) => port !== gone).map(backend), client);
        expect(after).toEqual(before.filter(({ port }) => port !== gone));
      }),
    );
  });
});

describe("a balancer", () => {
  const frontend = (all: readonly number[], affinityMs = 0): Frontend => ({
    key: "f",
    host: "127.0.0.1",
    port: 80,
    backends: all.map(backend),
    affinityMs,
    service: "default/web",
    mode: "tcp",
    balancing: { mode: "round-robin", maxConnections: 0, idleMs: 0, problems: [] },
  });
  const clockAt = (start: number) => {
    let now = start;
    const clock: Clock = { now: () => now, after: () => () => {}, sleep: async () => {} };
    return { clock, advance: (ms: number) => (now += ms) };
  };
  const none = new Set<string>();
  const linkTo = (balancer: Balancer, port: number) => {
    for (;;) {
      const link = balancer.pick("c", none);
      if (link?.port === port) return link;
    }
  };

  test("gives each endpoint the same share", () => {
    const balancer = createBalancer(frontend([1, 2, 3]), { clock: clockAt(0).clock });
    const counts = new Map<number | undefined, number>();
    for (let index = 0; index < 30; index++) {
      const port = balancer.pick("c", none)?.port;
      counts.set(port, (counts.get(port) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual([10, 10, 10]);
  });

  test("leaves one that has refused alone for a moment", () => {
    const { clock, advance } = clockAt(0);
    const balancer = createBalancer(frontend([1, 2]), { clock });
    balancer.refused(linkTo(balancer, 1));
    const picked = () => new Set([balancer.pick("c", none)?.port, balancer.pick("c", none)?.port]);
    expect(picked()).toEqual(new Set([2]));
    advance(1001);
    expect(picked()).toEqual(new Set([1, 2]));
  });

  test("keeps a client with its endpoint until its time is over or the endpoint is gone", () => {
    const { clock, advance } = clockAt(0);
    const balancer = createBalancer(frontend([1, 2, 3], 1000), { clock });
    const first = balancer.pick("10.0.0.1", none)?.port as number;
    balancer.update(frontend([1, 2, 3, 4, 5, 6, 7, 8], 1000));
    for (let index = 0; index < 5; index++) {
      advance(900);
      expect(balancer.pick("10.0.0.1", none)?.port).toBe(first);
    }
    balancer.update(
      frontend(
        [1, 2, 3].filter((port) => port !== first),
        1000,
      ),
    );
    expect(balancer.pick("10.0.0.1", none)?.port).not.toBe(first);
  });

  test("of another worker agrees about a new client", () => {
    const one = createBalancer(frontend([1, 2, 3, 4], 1000), { clock: clockAt(0).clock });
    const two = createBalancer(frontend([1, 2, 3, 4], 1000), { clock: clockAt(5).clock, firstTurn: 1 });
    for (let index = 0; index < 50; index++)
      expect(one.pick(`10.0.0.${index}`, none)).toEqual(two.pick(`10.0.0.${index}`, none));
  });

  const balancing = { mode: "round-robin", maxConnections: 0, idleMs: 0, problems: [] } as const;

  test("of mode least-connections takes the one with the least to do, equals in turn", () => {
    const balancer = createBalancer(
      { ...frontend([1, 2, 3]), balancing: { ...balancing, mode: "least-connections" } },
      { clock: clockAt(0).clock },
    );
    const taken = Array.from({ length: 6 }, () => {
      const link = balancer.pick("c", none) as Link;
      balancer.take(link);
      return link;
    });
    expect(taken.map(({ port }) => port).sort()).toEqual([1, 1, 2, 2, 3, 3]);
    const idle = taken.find(({ port }) => port === 2) as Link;
    balancer.release(idle);
    for (let index = 0; index < 3; index++) expect(balancer.pick("c", none)).toBe(idle);
  });

  test("of mode source-address sends a client to one endpoint, and different ones to different", () => {
    const balancer = createBalancer(
      { ...frontend([1, 2, 3]), balancing: { ...balancing, mode: "source-address" } },
      { clock: clockAt(0).clock },
    );
    const of = (client: string) =>
      new Set(Array.from({ length: 5 }, () => balancer.pick(client, none)?.port));
    const all = Array.from({ length: 40 }, (_, index) => of(`127.0.0.${index}`));
    expect(all.every(({ size }) => size === 1)).toBe(true);
    expect(new Set(all.flatMap((ports) => [...ports])).size).toBe(3);
  });

  test("of mode random meets every endpoint", () => {
    const balancer = createBalancer(
      { ...frontend([1, 2, 3]), balancing: { ...balancing, mode: "random" } },
      { clock: clockAt(0).clock },
    );
    const met = new Set(Array.from({ length: 200 }, () => balancer.pick("c", none)?.port));
    expect(met.size).toBe(3);
  });

  test("shares the limit of connections out among workers, and calls who waits when there is room", () => {
    const balancer = createBalancer(
      { ...frontend([1]), balancing: { ...balancing, maxConnections: 4 } },
      { clock: clockAt(0).clock, workersOf: () => 2 },
    );
    const first = balancer.pick("c", none) as Link;
    balancer.take(first);
    balancer.take(balancer.pick("c", none) as Link);
    expect(balancer.pick("c", none)).toBeUndefined();
    expect(balancer.isFull).toBe(true);
    const woken: string[] = [];
    balancer.whenFree(() => woken.push("one"));
    balancer.whenFree(() => woken.push("cancelled"))();
    balancer.whenFree(() => woken.push("two"));
    balancer.release(first);
    expect(woken).toEqual(["one"]);
    balancer.update(frontend([1, 2]));
    expect(woken).toEqual(["one", "two"]);
  });

  test("calls as many of those who wait as new endpoints have room for", () => {
    const limited = { ...balancing, maxConnections: 1 };
    const balancer = createBalancer({ ...frontend([1]), balancing: limited }, { clock: clockAt(0).clock });
    const served: number[] = [];
    const connect = () => {
      const link = balancer.pick("c", none);
      if (!link) {
        balancer.whenFree(() => connect());
        return;
      }
      balancer.take(link);
      served.push(link.port);
    };
    for (let client = 0; client < 5; client++) connect();
    expect(served).toEqual([1]);
    balancer.update({ ...frontend([1, 2, 3, 4]), balancing: limited });
    expect(served).toHaveLength(4);
    balancer.update(frontend([1, 2, 3, 4]));
    expect(served).toHaveLength(5);
  });

  test("gives clients of a node what is theirs, and tells a link once that it is gone", () => {
    const byNode = new Map([["a", [backend(1)]]]);
    const balancer = createBalancer(
      { ...frontend([1, 2]), byNode },
      { clock: clockAt(0).clock, nodeOf: (address) => (address === "127.16.1.9" ? "a" : undefined) },
    );
    const of = (client: string) =>
      new Set(Array.from({ length: 4 }, () => balancer.pick(client, none)?.port));
    expect(of("127.16.1.9")).toEqual(new Set([1]));
    expect(of("127.0.0.1")).toEqual(new Set([1, 2]));
    const link = linkTo(balancer, 1);
    let gone = 0;
    link.onGone = () => gone++;
    balancer.update(frontend([2]));
    balancer.update(frontend([]));
    expect([gone, link.gone]).toEqual([1, true]);
  });
});
