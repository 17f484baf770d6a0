import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { type ContainerProcess, startCommand } from "../../../../../agents/node/containers/process.ts";
import { canMakeTerminal } from "../../../../../agents/node/containers/terminal.ts";

const start = (script: string, { stdin = true, env = {} } = {}) =>
  startCommand(
    { prefix: [], containerProgram: "" },
    {
      argv: ["sh", "-c", script],
      env: { PATH: process.env["PATH"] ?? "", ...env },
      cwd: realpathSync(tmpdir()),
      stdin,
      tty: true,
    },
  );

function outputOf({ stdout }: ContainerProcess) {
  let text = "";
  stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return () => text;
}

// A Linux with util-linux has one; elsewhere there is nothing to test.
describe.skipIf(!canMakeTerminal())("a command in a terminal", () => {
  it("is told so, and its own words, environment and exit code come through", async () => {
    const env = { SHELL: "/no/such", WORD: "it's $HOME" };
    const started = await start('[ -t 0 ] && [ -t 2 ] && echo "$WORD $SHELL $TERM"; exit 7', { env });
    const output = outputOf(started);
    expect((await started.exited).code).toBe(7);
    await expect.poll(output).toBe("it's $HOME /no/such xterm\r\n");
  });

  it("is typed to, with echo, and Ctrl-C interrupts it", async () => {
    const started = await start(
      "trap 'echo interrupted; exit 5' INT; read line; echo got $line; while :; do sleep 0.05; done",
    );
    const output = outputOf(started);
    started.stdin?.write("word\r");
    await expect.poll(output).toContain("word\r\ngot word\r\n");
    started.stdin?.write("\u0003");
    expect((await started.exited).code).toBe(5);
    await expect.poll(output).toContain("interrupted");
  });

  it("is given sizes, the last one wins, and hears of each change", async () => {
    const started = await start("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done");
    const output = outputOf(started);
    started.resize?.({ columns: 1, rows: 2 });
    started.resize?.({ columns: 100, rows: 30 });
    await expect.poll(output).toContain("ready");
    started.resize?.({ columns: 120, rows: 40 });
    await expect.poll(output).toContain("40 120\r\n");
    started.signal("SIGKILL");
    await started.exited;
    started.resize?.({ columns: 1, rows: 1 });
  });

  it("gets the signals", async () => {
    const started = await start("trap 'echo bye; exit 9' TERM; echo ready; while :; do sleep 0.05; done");
    const output = outputOf(started);
    await expect.poll(output).toContain("ready");
    started.signal("SIGTERM");
    expect((await started.exited).code).toBe(9);
    await expect.poll(output).toContain("bye");
  });

  it("has an input that never ends where it has none", async () => {
    const started = await start("echo ready; cat", { stdin: false });
    const output = outputOf(started);
    await expect.poll(output).toContain("ready");
    expect(started.stdin).toBeUndefined();
    started.signal("SIGKILL");
    expect(await started.exited).toEqual({ code: null, signal: "SIGKILL" });
  });
});
