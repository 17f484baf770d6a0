import net, { type AddressInfo, type Socket } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { createBalancer } from "../../../../agents/proxy/balancer.ts";
import { concerns, createFaultTable } from "../../../../agents/proxy/fault-table.ts";
import {
  createDelayLine,
  createLinkFault,
  type FaultyLink,
  sumOfRates,
} from "../../../../agents/proxy/faults.ts";
import { proxyConnection } from "../../../../agents/proxy/tcp.ts";
import type { Fault } from "../../../../src/api/kinds/fault.ts";
import { type Clock, systemClock } from "../../../../src/base/clock.ts";

const rates = { cut: false, delayMs: 0, jitterMs: 0, loss: 0 };
const fault = (spec: Fault["spec"]) => ({ metadata: { name: "f" }, spec }) as Fault;

describe("which links a fault concerns", () => {
  const link = { pod: "web-1", node: "a" };
  test.each<[Fault["spec"], boolean]>([
    [{ cut: true }, true],
    [{ service: "web" }, true],
    [{ service: "other" }, false],
    [{ service: "web", namespace: "prod" }, false],
    [{ pod: "web-1" }, true],
    [{ pod: "web-2" }, false],
    [{ pod: "web-1", namespace: "prod" }, false],
    [{ node: "a" }, true],
    [{ node: "b", service: "web" }, false],
  ])("%j: %j", (spec, expected) => {
    expect(concerns(spec, "default/web", link)).toBe(expected);
  });

  test("all that concern it add up, and the same ones stay the same object", () => {
    const table = createFaultTable(systemClock);
    expect(table.faultOf("default/web", link)).toBeUndefined();
    table.set([
      fault({ latency: "50ms", loss: 0.5 }),
      fault({ node: "a", latency: "10ms", jitter: "5ms", loss: 0.5 }),
      fault({ node: "b", cut: true }),
    ]);
    const found = table.faultOf("default/web", link);
    expect(found?.rates).toEqual({ cut: false, delayMs: 60, jitterMs: 5, loss: 0.75 });
    table.set([
      fault({ latency: "50ms", loss: 0.5 }),
      fault({ node: "a", latency: "10ms", jitter: "5ms", loss: 0.5 }),
    ]);
    expect(table.faultOf("default/web", link)).toBe(found);
    table.set([]);
    expect(table.faultOf("default/web", link)).toBeUndefined();
  });

  test("adding rates up keeps loss between 0 and 1", () => {
    const loss = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(loss), (all) => {
        const sum = sumOfRates(all.map((one) => ({ ...rates, loss: one }))).loss;
        expect(sum >= 0 && sum <= 1 + 1e-12).toBe(true);
      }),
    );
  });
});

describe("what is under way on a slow link", () => {
  function createManualClock() {
    let now = 0;
    const timers: { at: number; run: () => void }[] = [];
    const clock: Clock = {
      now: () => now,
      after(delayMs, run) {
        const timer = { at: now + delayMs, run };
        timers.push(timer);
        return () => {
          if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1);
        };
      },
      sleep: async () => {},
    };
    const advance = (ms: number) => {
      now += ms;
      for (let due = timers.find(({ at }) => at <= now); due; due = timers.find(({ at }) => at <= now)) {
        timers.splice(timers.indexOf(due), 1);
        due.run();
      }
    };
    return { clock, advance };
  }

  test("arrives in order, however late each part is, and all of it", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(30))), fc.nat(), (sent, seed) => {
        const { clock, advance } = createManualClock();
        let state = seed;
        const random = () => {
          state = (state * 1103515245 + 12345) % 2 ** 31;
          return state / 2 ** 31;
        };
        const slow = createLinkFault({ ...rates, delayMs: 20, jitterMs: 40, loss: 0.3 }, { clock, random });
        const arrived: number[] = [];
        const line = createDelayLine<number>({ fault: slow }, (item) => arrived.push(item));
        for (const [index, [, waitMs]] of sent.entries()) {
          line.push(index);
          advance(waitMs);
        }
        advance(1_000);
        expect(arrived).toEqual(sent.map((_, index) => index));
        expect(line.idle).toBe(true);
      }),
    );
  });

  test("waits on a cut link until that is healed", () => {
    const { clock, advance } = createManualClock();
    const cut = createLinkFault({ ...rates, cut: true }, { clock });
    const link: FaultyLink = { fault: cut };
    const arrived: string[] = [];
    const line = createDelayLine<string>(link, (item) => arrived.push(item));
    line.push("a");
    line.push("b");
    advance(100_000);
    expect(arrived).toEqual([]);
    link.fault = undefined;
    cut.left(link);
    expect(arrived).toEqual(["a", "b"]);
  });
});

describe("a connection over a faulty link", () => {
  const cleanups: (() => void)[] = [];
  afterEach(() => {
    for (const cleanup of cleanups.splice(0)) cleanup();
  });
  async function listen(onConnection: (socket: Socket) => void): Promise<number> {
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      onConnection(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => server.close());
    return (server.address() as AddressInfo).port;
  }

  test("is as slow as it says, stands still while it is cut, and goes on when it is healed", async () => {
    const port = await listen((socket) => socket.pipe(socket));
    const table = createFaultTable(systemClock);
    const backend = { host: "127.0.0.1", port, key: "b", pod: "web-1" };
    const balancer = createBalancer(
      {
        key: "f",
        host: "127.0.0.1",
        port: 0,
        service: "default/web",
        mode: "tcp",
        backends: [backend],
        affinityMs: 0,
        balancing: { mode: "round-robin", maxConnections: 0, idleMs: 0, problems: [] },
      },
      { clock: systemClock, faultOf: (frontend, link) => table.faultOf(frontend.service, link) },
    );
    const follow = (...all: Fault[]) => {
      table.set(all);
      balancer.refreshFaults();
    };
    const front = await listen((socket) => proxyConnection(socket, balancer));
    const client = net.connect({ port: front, host: "127.0.0.1", allowHalfOpen: true });
    const echo = async (text: string) => {
      const startedAt = performance.now();
      client.write(text);
      const heard = await new Promise((resolve) => client.once("data", (data) => resolve(String(data))));
      expect(heard).toBe(text);
      return performance.now() - startedAt;
    };
    await echo("warm");
    follow(fault({ pod: "web-1", latency: "60ms" }));
    expect(await echo("slow")).toBeGreaterThan(118);
    follow(fault({ cut: true }));
    let heard = false;
    const late = echo("late").then(() => {
      heard = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(heard).toBe(false);
    follow();
    await late;
    follow(fault({ latency: "30ms" }));
    // The end comes after what was said before it.
    const rest: string[] = [];
    client.on("data", (data) => rest.push(String(data)));
    client.end("bye");
    await new Promise((resolve) => client.once("end", resolve));
    expect(rest.join("")).toBe("bye");
  });
});
