import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type HeldPath, holdPath } from "../../../src/process/shared-handles.ts";

const folder = mkdtempSync(join(tmpdir(), "kubemu-held-"));
const path = join(folder, "a.sock");
let held: HeldPath | undefined;
afterEach(() => {
  held?.close();
  held = undefined;
});

const PROGRAM = `require("node:net").createServer((socket) => socket.end("from " + process.pid)).listen({ fd: 4 }, () => process.send("listens"))`;

async function listener(fd: number) {
  const child = spawn(process.execPath, ["-e", PROGRAM], {
    stdio: ["ignore", "ignore", "inherit", "ipc", fd],
  });
  await new Promise((done) => child.once("message", done));
  return child;
}

const answer = (): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(path);
    socket.on("data", (chunk) => {
      text += chunk.toString();
    });
    socket.on("error", reject).on("close", () => resolve(text));
  });

test("a held Unix socket is its owner's alone, outlives who listens on it, and goes when it is let go", async () => {
  // A dead process' socket, or anything else of that name, is replaced.
  writeFileSync(path, "left behind");
  held = holdPath(path);
  expect(statSync(path).isSocket()).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);

  const first = await listener(held.fd);
  expect(await answer()).toBe(`from ${first.pid}`);
  const gone = new Promise((done) => first.once("exit", done));
  first.kill("SIGKILL");
  await gone;

  // Nobody listens: who connects now waits for the next one.
  const waiting = answer();
  const second = await listener(held.fd);
  expect(await waiting).toBe(`from ${second.pid}`);
  second.kill("SIGKILL");

  held.close();
  held = undefined;
  expect(existsSync(path)).toBe(false);
  rmSync(folder, { recursive: true });
});

test("a path that cannot be bound is named with the system's reason", () => {
  expect(() => holdPath(join(folder, "missing", "a.sock"))).toThrow(
    /bind .*missing\/a\.sock: (ENOENT|EACCES)/,
  );
});
