import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { type Invocation, parseCount, parseDuration, UsageError } from "../../../src/cli/command.ts";
import { runCommandLine } from "../../../src/cli/command-line.ts";
import { commands } from "../../../src/cli/declarations.ts";
import { DATA_VERSION, writeCluster } from "../../../src/supervisor/state.ts";

interface Run {
  code: number;
  out: string;
  complaints: string[];
  invocation: Invocation | undefined;
}

/** Runs the real declarations with commands that only remember what they were asked. */
async function run(
  argv: readonly string[],
  {
    env = {},
    home = () => "/home/me",
    fail,
  }: { env?: NodeJS.ProcessEnv; home?: () => string; fail?: Error } = {},
): Promise<Run> {
  const result: Run = { code: -1, out: "", complaints: [], invocation: undefined };
  result.code = await runCommandLine(argv, {
    commands: commands.map((declared) => ({
      ...declared,
      load: async () => async (invocation: Invocation) => {
        result.invocation = invocation;
        if (fail) throw fail;
        return 0;
      },
    })),
    version: "1.2.3",
    env,
    home,
    out: (text) => {
      result.out += text;
    },
    complain: (line) => void result.complaints.push(line),
  });
  return result;
}

// The CLI, exactly.
const TABLE: Record<string, readonly string[]> = {
  up: [
    "nodes",
    "profile",
    "api-port",
    "detach",
    "in-memory",
    "single-address",
    "no-merge",
    "endpoint-lag",
    "proxy-mode",
  ],
  drill: ["seed", "keep", "json", "junit", "html"],
  down: ["delete"],
  status: ["output"],
  traffic: ["follow", "output"],
  node: ["output"],
  services: ["output"],
  pods: ["output"],
  env: [],
  kubectl: [],
  get: [
    "namespace",
    "all-namespaces",
    "selector",
    "field-selector",
    "output",
    "filename",
    "watch",
    "show-labels",
  ],
  describe: ["namespace", "all-namespaces", "selector", "filename"],
  apply: ["namespace", "filename", "output"],
  delete: [
    ...["namespace", "all-namespaces", "selector", "field-selector", "filename", "all", "output"],
    ...["force", "now", "grace-period", "cascade", "ignore-not-found", "wait"],
  ],
  scale: ["namespace", "selector", "filename", "replicas", "current-replicas"],
  rollout: ["namespace", "selector", "filename", "timeout", "revision", "to-revision", "watch"],
  set: ["namespace", "selector", "filename"],
  logs: [
    ...["namespace", "selector", "container", "follow", "previous", "tail", "since", "timestamps", "prefix"],
    "all-containers",
  ],
  exec: ["namespace", "container", "stdin", "tty"],
  "port-forward": ["namespace", "address"],
  wait: ["namespace", "all-namespaces", "selector", "field-selector", "filename", "all", "timeout", "for"],
};

describe("the commands", () => {
  test("are those of the table, each with its options", () => {
    const declared = commands.map(({ name, options = [] }) => [
      name,
      options.map(({ flags }) => /--([a-z-]+)/.exec(flags)?.[1]).sort(),
    ]);
    expect(Object.fromEntries(declared)).toEqual(
      Object.fromEntries(Object.entries(TABLE).map(([name, options]) => [name, [...options].sort()])),
    );
  });

  test.each(Object.keys(TABLE))("%s takes --name, --data-dir and -h, and has a module", async (name) => {
    const help = await run([name, "-h"]);
    expect(help.code).toBe(0);
    expect(help.out).toContain(`Usage: kubemu ${name}`);
    for (const option of [
      "--name",
      "--data-dir",
      "--help",
      ...(TABLE[name] ?? []).map((each) => `--${each}`),
    ])
      expect(help.out).toContain(option);
    const declared = commands.find((each) => each.name === name);
    expect(await declared?.load()).toBeTypeOf("function");
  });

  test("up takes folders and every option", async () => {
    const { code, invocation } = await run(
      "up a b --nodes 5 --profile kubernetes --api-port 0 --detach --in-memory --single-address --no-merge --name x".split(
        " ",
      ),
    );
    expect(code).toBe(0);
    expect(invocation).toMatchObject({
      name: "x",
      arguments: ["a", "b"],
      options: {
        nodes: "5",
        profile: "kubernetes",
        apiPort: "0",
        detach: true,
        inMemory: true,
        singleAddress: true,
        merge: false,
      },
    });
  });

  test("kubectl's own options go through unread", async () => {
    const words = ["get", "pods", "-o", "wide", "--name", "theirs", "-h"];
    const { invocation } = await run(["kubectl", "--name", "ours", ...words]);
    expect(invocation).toMatchObject({ name: "ours", arguments: words });
    expect((await run(["kubectl", "-o", "wide", "get", "pods"])).invocation?.arguments).toEqual([
      "-o",
      "wide",
      "get",
      "pods",
    ]);
  });
});

describe("what is not allowed ends in exit code 2 and one line that says what is", () => {
  test.each([
    [[], /up, down, status/],
    [["explode"], /explode.*up, down, status/],
    [["--explode"], /--explode.*--help/],
    [["up", "--explode"], /--explode.*--nodes.*--name.*--help|--explode.*--name.*--nodes.*--help/],
    [["up", "--profile", "slow"], /slow.*fast, kubernetes/],
    [["up", "--nodes"], /--nodes/],
    [["status", "-o", "yaml"], /yaml.*json/],
    [["status", "too", "many"], /status.*usage: kubemu status/],
    [["node"], /action.*usage: kubemu node/],
    [["up", "--name", "No_Label"], /--name.*DNS label.*No_Label/],
    [["up", "--data-dir", ""], /--data-dir/],
  ])("%j", async (argv, says) => {
    const { code, complaints, invocation } = await run(argv as string[]);
    expect(code).toBe(2);
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(/^kubemu: [^\n]*$/);
    expect(complaints[0]).toMatch(says as RegExp);
    expect(invocation).toBeUndefined();
  });

  test("a command may say so itself; other failures are exit code 1, in one line too", async () => {
    const usage = await run(["node", "kill", "x"], { fail: new UsageError("there is no node x") });
    expect([usage.code, usage.complaints]).toEqual([2, ["kubemu: there is no node x"]]);
    const failed = await run(["status"], { fail: new Error("it\n  broke\n") });
    expect([failed.code, failed.complaints]).toEqual([1, ["kubemu: it broke"]]);
  });

  test.each(["", "x", "-1", "1.5", "0", "191", "1e2", " 5", "٣"])("%j is no number of nodes", (text) => {
    expect(() => parseCount("--nodes", text, [1, 190])).toThrow(
      /^--nodes takes a whole number from 1 to 190, not/,
    );
  });
  test("both ends of a range are allowed", () => {
    expect([parseCount("--nodes", "1", [1, 190]), parseCount("--nodes", "190", [1, 190])]).toEqual([1, 190]);
  });
});

describe("where a cluster lies", () => {
  const placed = async (argv: string[], more: Parameters<typeof run>[1] = {}) =>
    (await run(["status", ...argv], more)).invocation;

  test("follows from its name, below the user's state folder", async () => {
    expect(await placed([])).toMatchObject({
      name: "kubemu",
      dataDir: "/home/me/.local/state/kubemu/kubemu",
    });
    expect(await placed(["--name", "a"], { env: { XDG_STATE_HOME: "/state" } })).toMatchObject({
      dataDir: "/state/kubemu/a",
    });
    expect(await placed([], { env: { XDG_STATE_HOME: "relative" } })).toMatchObject({
      dataDir: "/home/me/.local/state/kubemu/kubemu",
    });
  });

  test("is absolute, also where it was given relative or with spaces", async () => {
    expect(await placed(["--data-dir", "some where"])).toMatchObject({ dataDir: resolve("some where") });
  });

  test("and what lies there says its name", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kubemu-locate-"));
    mkdirSync(folder, { recursive: true });
    const cluster = { version: DATA_VERSION, name: "mine", slot: 16, apiPort: 6443, nodes: [] };
    writeCluster(folder, { ...cluster, profile: "fast", singleAddress: false });
    expect(await placed(["--data-dir", folder])).toMatchObject({ name: "mine" });
    expect(await placed(["--data-dir", folder, "--name", "other"])).toMatchObject({ name: "other" });
    rmSync(folder, { recursive: true });
  });

  test.each([
    () => "",
    () => {
      throw new Error("no such user");
    },
  ])("without a home it has to be given", async (home) => {
    const { code, complaints } = await run(["status"], { home });
    expect(code).toBe(1);
    expect(complaints[0]).toContain("--data-dir");
    expect(await placed(["--data-dir", "/data"], { home })).toMatchObject({ dataDir: "/data" });
  });
});

test.each([
  ["500ms", 500],
  ["2s", 2_000],
  ["1.5s", 1_500],
  ["1m30s", 90_000],
  ["1h", 3_600_000],
  ["0", 0],
])("a duration of %s is %i ms", (text, spanMs) => {
  expect(parseDuration("--endpoint-lag", text)).toBe(spanMs);
});

test.each(["", "5", "s", "-1s", "1s 2s", "1d", "1s!"])("%j is no duration", (text) => {
  expect(() => parseDuration("--endpoint-lag", text)).toThrow(
    "--endpoint-lag takes a duration such as 500ms, 2s or 1m30s",
  );
});
