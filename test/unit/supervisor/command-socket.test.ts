import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import {
  type SupervisorCommand,
  sendCommand,
  serveCommands,
  socketPath,
} from "../../../src/supervisor/command-socket.ts";

let folder: string;
let server: Server | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubemu-socket-"));
});
afterEach(() => {
  server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const serve = async (answer: (command: SupervisorCommand) => Promise<unknown>) => {
  const path = socketPath(folder);
  server = await serveCommands(path, async (command) => ({ ok: true, result: await answer(command) }));
  return path;
};

test("a command gets the answer to it, side by side with others", async () => {
  const path = await serve(async (command) => ("name" in command ? command.name : command.command));
  const commands: SupervisorCommand[] = [
    { command: "status" },
    { command: "node", action: "kill", name: "node-2" },
  ];
  expect(await Promise.all(commands.map((each) => sendCommand(path, each)))).toEqual([
    { ok: true, result: "status" },
    { ok: true, result: "node-2" },
  ]);
});

test("what fails is answered with its reason", async () => {
  const path = await serve(() => Promise.reject(new Error("node-9 is not running")));
  expect(await sendCommand(path, { command: "status" })).toEqual({
    ok: false,
    message: "node-9 is not running",
  });
});

test("only its owner can open it, and what a dead supervisor left there is replaced", async () => {
  writeFileSync(socketPath(folder), "");
  const path = await serve(async () => null);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await sendCommand(path, { command: "status" })).toEqual({ ok: true, result: null });
});

test("nobody else could open it at any moment", async () => {
  const path = socketPath(folder);
  const before = process.umask();
  const serving = serveCommands(path, async () => ({ ok: true, result: null }));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(process.umask()).toBe(before);
  server = await serving;
});

test("a supervisor that hangs is given up, and the message says what can be done", async () => {
  const path = await serve(() => new Promise(() => {}));
  await expect(sendCommand(path, { command: "status" }, { answerMs: 20 })).rejects.toThrow(
    /^the cluster's supervisor has not answered within 0\.02 s; .*`kubemu down`/,
  );
});

test("one that does not even hear a command is given up long before its answer is due", async () => {
  // Connects, as the kernel does for a stopped process, and says nothing.
  const path = socketPath(folder);
  const silent = createServer(() => {});
  server = silent;
  await new Promise<void>((ready) => silent.listen(path, ready));
  const kill: SupervisorCommand = { command: "node", action: "kill", name: "node-1" };
  await expect(sendCommand(path, kill, { heardMs: 20 })).rejects.toThrow(
    /^the cluster's supervisor has not shown a sign of life within 0\.02 s; .*`kubemu down`/,
  );
});

test("a command that is heard when its sender has left is not carried out", async () => {
  const heard: string[] = [];
  const path = await serve(async ({ command }) => heard.push(command));
  await new Promise<void>((left) => {
    const socket = connect(path, () => {
      socket.write('{"command":"stop"}\n');
      socket.destroy();
    });
    socket.on("close", () => left());
  });
  await sendCommand(path, { command: "status" });
  expect(heard).toEqual(["status"]);
});

test("one that has heard a command is waited for", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  let finish = () => {};
  const path = await serve(
    () =>
      new Promise<void>((done) => {
        finish = done;
      }),
  );
  const sent = sendCommand(path, { command: "node", action: "stop", name: "node-1" });
  expect(vi.getTimerCount()).toBe(2);
  await expect.poll(() => vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(59_000);
  finish();
  expect(await sent).toMatchObject({ ok: true });
});

/** What is answered to a line that sendCommand would not send. */
const say = (path: string, line: string) =>
  new Promise<unknown>((resolve) => {
    let text = "";
    const socket = connect(path, () => socket.write(`${line}\n`));
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("close", () => resolve(JSON.parse(text)));
  });

test.each([
  "null",
  "7",
  "[]",
  '"status"',
  "{}",
  '{"command":"node","action":"add","name":5}',
  '{"command":1}',
])("%s is refused as no command", async (line) => {
  const path = await serve(async () => "never");
  expect(await say(path, line)).toEqual({
    ok: false,
    message: 'not a command: it is a JSON object such as {"command":"status"}',
  });
});

test("a client that sends no JSON gets a reason, one that leaves early does no harm", async () => {
  const path = await serve(async () => "fine");
  expect(await say(path, "nonsense")).toMatchObject({ ok: false });
  await new Promise<void>((resolve) => {
    const socket = connect(path, () => socket.destroy());
    socket.on("close", () => resolve());
  });
  expect(await sendCommand(path, { command: "status" })).toEqual({ ok: true, result: "fine" });
});

test("nobody there is an error", async () => {
  await expect(sendCommand(socketPath(folder), { command: "status" })).rejects.toThrow(/ENOENT/);
});

test("a path too long for a socket is replaced by a short one of its own", () => {
  const long = `/tmp/${"x".repeat(120)}`;
  expect(Buffer.byteLength(socketPath(long))).toBeLessThanOrEqual(104);
  expect(socketPath(long)).toBe(socketPath(long));
  expect(socketPath(long)).not.toBe(socketPath(`${long}y`));
});
