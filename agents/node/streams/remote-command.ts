// exec and attach, whatever the protocol: joins a process's streams to a client's, and tells the client how it ended.
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import type { Pod, Status } from "../../../src/api/generated/types.ts";
import { hasRoom } from "./has-room.ts";
import type { ExitResult, NodeHost } from "./host.ts";
import type { TerminalSizes } from "./terminal-size.ts";

/** The client's ends; those it did not ask for are absent. */
export interface ClientStreams {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  readonly sizes: TerminalSizes;
  /** Tells the outcome, once all output is passed on, and ends the session in good order. */
  finish(outcome: Outcome): void;
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal;
}

/** The part of a Status that goes over the error stream. */
export type Outcome = Pick<Status, "status" | "message" | "reason" | "details" | "code"> & {
  metadata: object;
};

export interface CommandRequest {
  readonly pod: Readonly<Pod>;
  readonly container: string;
  /** exec only. */
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export async function runExec(host: NodeHost, request: CommandRequest, client: ClientStreams): Promise<void> {
  const { pod, container, command, stdin, tty } = request;
  let process: Awaited<ReturnType<NodeHost["exec"]>>;
  try {
    process = await host.exec(pod, container, { argv: command, stdin, tty });
  } catch (error) {
    client.finish(startFailure(error, command));
    return;
  }
  const kill = () => process.kill();
  if (client.gone.aborted) kill();
  client.gone.addEventListener("abort", kill, { once: true });
  if (process.resize) client.sizes.tell(process.resize);
  if (client.stdin && process.stdin) {
    process.stdin.on("error", () => {});
    client.stdin.pipe(process.stdin);
  }
  // Unlike Kubernetes: without a terminal of its own, what asked for one gets its two outputs merged, and no line editing.
  const errors = client.stderr ?? (tty ? client.stdout : undefined);
  const passed = [drain(process.stdout, client.stdout), drain(process.stderr, errors)];
  const [result] = await Promise.all([process.exited, ...passed]);
  client.gone.removeEventListener("abort", kill);
  for (const output of [client.stdout, client.stderr]) await endOutput(output);
  client.finish(outcomeOf(result, command));
}

/** Reads `from` to its end, into `to` where there is one. */
async function drain(from: Readable, to: Writable | undefined): Promise<void> {
  if (to) from.pipe(to, { end: false });
  else from.resume();
  // A client that has left must not hold the process up.
  to?.once("close", () => from.unpipe(to).resume());
  await finished(from, { writable: false }).catch(() => {});
}

async function endOutput(output: Writable | undefined): Promise<void> {
  if (!output || output.destroyed) return;
  output.end();
  await finished(output, { readable: false }).catch(() => {});
}

export async function runAttach(
  host: NodeHost,
  request: CommandRequest,
  client: ClientStreams,
): Promise<void> {
  const { pod, container, tty } = request;
  const attached = host.attach(pod, container);
  if (!attached) {
    const message = `Internal error occurred: error attaching to container: container is not running`;
    client.finish({ metadata: {}, status: "Failure", reason: "InternalError", message, code: 500 });
    return;
  }
  const left = new Promise<void>((resolve) => {
    client.gone.addEventListener("abort", () => resolve(), { once: true });
  });
  const detach = attached.onOutput((stream, chunk) => {
    const to = stream === "stderr" && !tty ? client.stderr : client.stdout;
    if (!to?.writable || to.write(chunk)) return undefined;
    return Promise.race([hasRoom(to), left]);
  });
  if (attached.resize) client.sizes.tell(attached.resize);
  // Without stdinOnce the container's input stays open for the next who attaches.
  const once = containerOf(pod, container)?.stdinOnce === true;
  if (client.stdin && attached.stdin) {
    attached.stdin.on("error", () => {});
    client.stdin.pipe(attached.stdin, { end: once });
  }
  await Promise.race([attached.ended, left]);
  detach();
  if (client.stdin && attached.stdin) {
    client.stdin.unpipe(attached.stdin);
    if (once) attached.stdin.end();
  }
  for (const output of [client.stdout, client.stderr]) await endOutput(output);
  client.finish({ metadata: {}, status: "Success" });
}

const containerOf = ({ spec }: Readonly<Pod>, container: string) =>
  [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])].find(
    ({ name }) => name === container,
  );

/** What the error stream says, as the kubelet: Success, or NonZeroExitCode with the code as a cause. */
export function outcomeOf({ code, signal }: ExitResult, command: readonly string[]): Outcome {
  const exitCode = code ?? 128 + (signal ? constants.signals[signal] : 0);
  if (exitCode === 0) return { metadata: {}, status: "Success" };
  const what = `error executing command [${command.join(" ")}], exit code ${exitCode}`;
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: ${what}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  };
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: "executable file not found in $PATH",
  EACCES: "permission denied",
};

function startFailure(error: unknown, [program = ""]: readonly string[]): Outcome {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = WHY[code ?? ""] ?? message;
  const failed = `exec failed: unable to start container process: exec: ${JSON.stringify(program)}: ${why}`;
  return {
    metadata: {},
    status: "Failure",
    message: `Internal error occurred: error executing command in container: ${failed}: unknown`,
    reason: "InternalError",
    details: { causes: [{ message: `error executing command in container: ${failed}: unknown` }] },
    code: 500,
  };
}
