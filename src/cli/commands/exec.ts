// `kubemu exec [-it] POD|TYPE/NAME -- COMMAND …`, over WebSocket (v5.channel.k8s.io). Its exit code is the command's.
import type { Status } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { pathOf } from "../../api/resource.ts";
import { type Invocation, UsageError } from "../command.ts";
import { podsOf, usualContainer } from "../pod-of.ts";
import { note, type Session, withSession } from "../session.ts";

// The first byte of each message: which stream it belongs to.
const [STDIN, STDOUT, STDERR, OUTCOME, RESIZE, CLOSE] = [0, 1, 2, 3, 4, 255];

export const exec = (invocation: Invocation): Promise<number> =>
  withSession(invocation, async (session) => {
    const [word, ...command] = invocation.arguments;
    const { options } = invocation;
    if (word === undefined) throw new UsageError("pod, type/name or --filename must be specified");
    if (command.length === 0)
      throw new UsageError("you must specify at least one command for the container: exec POD -- COMMAND");
    const { pods: found } = await podsOf(session, word);
    const pod = found[0]!;
    const { name, hint } = usualContainer(pod, options["container"]);
    if (hint) note(hint);
    const stdin = options["stdin"] === true;
    let tty = options["tty"] === true;
    if (tty && !(stdin && process.stdin.isTTY)) {
      note("Unable to use a TTY - input is not a terminal or the right kind of file");
      tty = false;
    }
    const query = new URLSearchParams([
      ...command.map((each): [string, string] => ["command", each]),
      ["container", name],
    ]);
    query.set("stdout", "true");
    if (!tty) query.set("stderr", "true");
    if (stdin) query.set("stdin", "true");
    if (tty) query.set("tty", "true");
    return run(
      session,
      { path: pathOf(pods, { ...pod.metadata, subresource: "exec" }), query },
      { stdin, tty },
    );
  });

async function run(
  session: Session,
  request: { path: string; query: URLSearchParams },
  { stdin, tty }: { stdin: boolean; tty: boolean },
): Promise<number> {
  const streams = await session.streams();
  const socket = await streams.webSocket(request, ["v5.channel.k8s.io"]);
  const send = (channel: number, data: Buffer) =>
    socket.readyState === socket.OPEN && socket.send(Buffer.concat([Buffer.of(channel), data]));
  let outcome = "";
  socket.on("message", (message: Buffer) => {
    const data = message.subarray(1);
    if (message[0] === STDOUT) process.stdout.write(data);
    else if (message[0] === STDERR) process.stderr.write(data);
    else if (message[0] === OUTCOME) outcome += data.toString();
  });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const onInput = (chunk: Buffer) => send(STDIN, chunk);
  const onEnd = () => send(CLOSE, Buffer.of(STDIN));
  const resize = () =>
    send(RESIZE, Buffer.from(JSON.stringify({ Width: process.stdout.columns, Height: process.stdout.rows })));
  if (stdin) process.stdin.on("data", onInput).on("end", onEnd);
  if (tty) {
    process.stdin.setRawMode(true);
    process.stdout.on("resize", resize);
    resize();
  }
  await closed;
  if (tty) process.stdin.setRawMode(false);
  process.stdout.off("resize", resize);
  process.stdin.off("data", onInput).off("end", onEnd);
  process.stdin.pause();
  return exitCode(outcome);
}

/** What the command ended with; says why where it could not be run. */
function exitCode(text: string): number {
  if (!text) throw new Error("the connection was lost before the command ended");
  const { status, reason, message, details } = JSON.parse(text) as Status;
  if (status === "Success") return 0;
  const code = details?.causes?.find((cause) => cause.reason === "ExitCode")?.message;
  if (reason !== "NonZeroExitCode" || code === undefined)
    throw new Error(`error: ${message ?? "unknown reason"}`);
  note(`command terminated with exit code ${code}`);
  return Number(code);
}
