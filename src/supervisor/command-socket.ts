// The CLI's way to a running supervisor: a Unix socket in the data directory, one JSON line each way, and before the answer an empty line
// as soon as the command is heard. Whoever may open the socket (0600) may command the cluster.
import { createHash } from "node:crypto";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bindOwnerOnly } from "../process/owner-only.ts";

export type NodeAction =
  | "kill"
  | "pause"
  | "resume"
  | "partition"
  | "heal"
  | "start"
  | "stop"
  | "add"
  | "remove";
export const NODE_ACTIONS: readonly NodeAction[] = [
  "kill",
  "pause",
  "resume",
  "partition",
  "heal",
  "start",
  "stop",
  "add",
  "remove",
];

export type SupervisorCommand =
  | { readonly command: "status" }
  | { readonly command: "stop" }
  | { readonly command: "node"; readonly action: NodeAction; readonly name?: string };

export type SupervisorReply =
  | { readonly ok: true; readonly result: unknown }
  /** `usage`: what was asked for is not allowed, and the message says what is. */
  | { readonly ok: false; readonly message: string; readonly usage?: boolean };

// sun_path holds 108 bytes with its closing zero.
const LONGEST_PATH = 104;
const LONGEST_LINE = 64 * 1024;
// A status takes milliseconds. A node that stops has its pods' grace periods, one that starts waits to be Ready.
const ANSWER_WITHIN_MS: Record<SupervisorCommand["command"], number> = {
  status: 5_000,
  stop: 60_000,
  node: 60_000,
};

// A supervisor that is stopped or hangs hears nothing; one that is at work hears at once, however long the answer takes.
const HEARD_WITHIN_MS = 5_000;

/** Where the socket lies: in the data directory, or, when that path is too long for a socket, in the folder for temporary files. */
export const socketPath = (dataDir: string): string => shortEnough(join(dataDir, "supervisor.sock"));

/** The same for the API's own socket. */
export const apiSocketPath = (dataDir: string): string => shortEnough(join(dataDir, "api.sock"));

function shortEnough(path: string): string {
  if (Buffer.byteLength(path) <= LONGEST_PATH) return path;
  return join(tmpdir(), `kubemu-${createHash("sha256").update(path).digest("hex").slice(0, 24)}.sock`);
}

/** Serves commands until closed. A socket left by a dead supervisor is replaced; the caller has made sure that it is dead. */
export async function serveCommands(
  path: string,
  answer: (command: SupervisorCommand) => Promise<SupervisorReply>,
): Promise<Server> {
  const server = createServer((socket) => {
    let text = "";
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: string) => {
      text += chunk;
      const end = text.indexOf("\n");
      if (end < 0 && text.length > LONGEST_LINE) socket.destroy();
      if (end < 0) return;
      const line = text.slice(0, end);
      text = "";
      socket.write("\n", (error) => {
        // Who has given up meanwhile was told that nothing came of it.
        if (error) return;
        void reply(line, answer).then((given) => socket.end(`${JSON.stringify(given)}\n`));
      });
    });
  });
  await new Promise<void>((resolve, reject) => {
    // Binding happens within listen.
    bindOwnerOnly(path, () => server.once("error", reject).listen(path, resolve));
  });
  return server;
}

async function reply(
  line: string,
  answer: (command: SupervisorCommand) => Promise<SupervisorReply>,
): Promise<SupervisorReply> {
  try {
    return await answer(parseCommand(JSON.parse(line)));
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

/** Which commands and actions there are is for whoever answers; this sees to the shape. */
function parseCommand(value: unknown): SupervisorCommand {
  const fields: Record<string, unknown> = { ...(typeof value === "object" ? value : {}) };
  const isText = (name: string) => typeof fields[name] === "string";
  const isNode = isText("action") && (isText("name") || fields["name"] === undefined);
  if (!isText("command") || (fields["command"] === "node" && !isNode))
    throw new Error('not a command: it is a JSON object such as {"command":"status"}');
  return value as SupervisorCommand;
}

/** Sends one command; rejects when nobody listens, nobody hears it or no answer comes in time. */
export function sendCommand(
  path: string,
  command: SupervisorCommand,
  within: { readonly heardMs?: number; readonly answerMs?: number } = {},
): Promise<SupervisorReply> {
  const { heardMs = HEARD_WITHIN_MS, answerMs = ANSWER_WITHIN_MS[command.command] } = within;
  return new Promise((resolve, reject) => {
    const giveUp = (what: string, afterMs: number) =>
      setTimeout(() => {
        reject(
          new Error(
            `the cluster's supervisor has not ${what} within ${afterMs / 1000} s; if it hangs, \`kubemu down\` ends the cluster`,
          ),
        );
        socket.destroy();
      }, afterMs);
    const timers = [giveUp("answered", answerMs), giveUp("shown a sign of life", heardMs)] as const;
    const socket = connect(path, () => socket.write(`${JSON.stringify(command)}\n`));
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      clearTimeout(timers[1]);
      text += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => {
      for (const timer of timers) clearTimeout(timer);
      try {
        resolve(JSON.parse(text) as SupervisorReply);
      } catch {
        reject(new Error("the supervisor ended before it answered"));
      }
    });
  });
}
