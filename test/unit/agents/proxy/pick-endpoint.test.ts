import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBalancer } from "../../../../agents/proxy/balancer.ts";
import { pickEndpoint, preferredOrder } from "../../../../agents/proxy/pick-endpoint.ts";
import type { Backend, Frontend } from "../../../../agents/proxy/service-table.ts";
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
  });
  const clockAt = (start: number) => {
    let now = start;
    const clock: Clock = { now: () => now, after: () => () => {}, sleep: async () => {} };
    return { clock, advance: (ms: number) => (now += ms) };
  };
  const none = new Set<string>();

  test("gives each endpoint the same share", () => {
    const balancer = createBalancer(frontend([1, 2, 3]), clockAt(0).clock);
    const counts = new Map<number | undefined, number>();
    for (let index = 0; index < 30; index++) {
      const port = balancer.pick("c", none)?.port;
      counts.set(port, (counts.get(port) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual([10, 10, 10]);
  });

  test("leaves one that has refused alone for a moment", () => {
    const { clock, advance } = clockAt(0);
    const balancer = createBalancer(frontend([1, 2]), clock);
    balancer.refused(backend(1));
    const picked = () => new Set([balancer.pick("c", none)?.port, balancer.pick("c", none)?.port]);
    expect(picked()).toEqual(new Set([2]));
    advance(1001);
    expect(picked()).toEqual(new Set([1, 2]));
  });

  test("keeps a client with its endpoint until its time is over or the endpoint is gone", () => {
    const { clock, advance } = clockAt(0);
    const balancer = createBalancer(frontend([1, 2, 3], 1000), clock);
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
    const one = createBalancer(frontend([1, 2, 3, 4], 1000), clockAt(0).clock, 0);
    const two = createBalancer(frontend([1, 2, 3, 4], 1000), clockAt(5).clock, 1);
    for (let index = 0; index < 50; index++)
      expect(one.pick(`10.0.0.${index}`, none)).toEqual(two.pick(`10.0.0.${index}`, none));
  });
});
