import { expect, test } from "vitest";
import { createKernelPaths } from "../../../../../agents/proxy/nftables/kernel-paths.ts";
import type { NftSession } from "../../../../../agents/proxy/nftables/session.ts";
import type { Frontend } from "../../../../../agents/proxy/service-table.ts";
import type { Clock } from "../../../../../src/base/clock.ts";
import { silentLog } from "../../../../../src/base/log.ts";

const frontend = (...hosts: string[]): Frontend => ({
  key: "127.16.192.2:80",
  host: "127.16.192.2",
  port: 80,
  service: "default/web",
  mode: "tcp",
  backends: hosts.map((host) => ({ host, port: 80, key: `${host}:80` })),
  affinityMs: 0,
  balancing: { mode: "round-robin", maxConnections: 0, idleMs: 0, problems: [] },
});

/** Sessions whose transactions end when the test says so, and a clock whose timers do. */
function setUp() {
  const commits: { commands: readonly string[]; done(): void; fail(): void }[] = [];
  const sessions: { end(): void; stopped: boolean }[] = [];
  const timers: (() => void)[] = [];
  const startSession = (): NftSession => {
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const state = { end, stopped: false };
    sessions.push(state);
    return {
      ended,
      run: (commands) =>
        new Promise((done, reject) => commits.push({ commands, done, fail: () => reject(new Error("no")) })),
      async stop() {
        state.stopped = true;
        end();
      },
    };
  };
  const clock: Clock = {
    now: () => 0,
    after(_, callback) {
      timers.push(callback);
      return () => {};
    },
    sleep: async () => {},
  };
  const paths = createKernelPaths({ table: "t", startSession, clock, log: silentLog });
  return { paths, commits, sessions, timers };
}

const settle = () => new Promise((next) => setImmediate(next));

test("is done only when the rules are active, and takes what came meanwhile in one transaction", async () => {
  const { paths, commits, sessions } = setUp();
  const done: string[] = [];
  void paths.apply([frontend("127.1.1.1", "127.1.1.2")]).then(() => done.push("two"));
  await settle();
  void paths.apply([frontend("127.1.1.1")]).then(() => done.push("one"));
  void paths.apply([]).then(() => done.push("none"));
  await settle();
  expect(commits).toHaveLength(1);
  expect(commits[0]?.commands[0]).toBe("add table ip t { flags owner; }");
  expect(done).toEqual([]);
  commits[0]?.done();
  await settle();
  expect(done).toEqual(["two"]);
  expect(commits[1]?.commands.some((command) => command.startsWith("delete element"))).toBe(true);
  commits[1]?.done();
  await settle();
  expect(done).toEqual(["two", "one", "none"]);
  expect(sessions).toHaveLength(1);
});

test("does nothing where nothing has changed", async () => {
  const { paths, commits } = setUp();
  const first = paths.apply([frontend("127.1.1.1")]);
  await settle();
  commits[0]?.done();
  await first;
  await paths.apply([frontend("127.1.1.1")]);
  expect(commits).toHaveLength(1);
});

test("removes the table where the kernel refuses, and begins anew later", async () => {
  const { paths, commits, sessions, timers } = setUp();
  const first = paths.apply([frontend("127.1.1.1")]);
  await settle();
  commits[0]?.fail();
  await first;
  expect(sessions[0]?.stopped).toBe(true);
  // Nobody waits for the kernel meanwhile: there is no table.
  await paths.apply([frontend("127.1.1.2")]);
  expect(commits).toHaveLength(1);
  timers.shift()?.();
  await settle();
  expect(commits[1]?.commands.join("\n")).toMatch(/^add table[\s\S]*127\.1\.1\.2/);
  expect(commits[1]?.commands.join("\n")).not.toContain("127.1.1.1");
});

test("sets all rules again when nft has died", async () => {
  const { paths, commits, sessions, timers } = setUp();
  const first = paths.apply([frontend("127.1.1.1")]);
  await settle();
  commits[0]?.done();
  await first;
  sessions[0]?.end();
  await settle();
  timers.shift()?.();
  await settle();
  expect(sessions).toHaveLength(2);
  expect(commits[1]?.commands).toEqual(commits[0]?.commands);
});

test("leaves nothing when it is stopped", async () => {
  const { paths, sessions, commits } = setUp();
  void paths.apply([frontend("127.1.1.1")]);
  await settle();
  await paths.stop();
  commits[0]?.fail();
  await settle();
  await paths.apply([frontend("127.1.1.2")]);
  expect(sessions.map(({ stopped }) => stopped)).toEqual([true]);
});
