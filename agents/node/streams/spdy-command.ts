// exec and attach over SPDY/3.1 (kubectl up to 1.29, and later ones as their second try): one stream each for error, stdin,
// stdout, stderr and the terminal's size, told apart by the header `streamType`.
import type { Duplex } from "node:stream";
import type { ClientStreams, CommandRequest } from "./remote-command.ts";
import { createSpdyConnection, type SpdyStream } from "./spdy/connection.ts";
import { acceptSpdy } from "./spdy/upgrade.ts";
import { createTerminalSizes } from "./terminal-size.ts";
import type { Upgrade } from "./websocket.ts";

const PROTOCOLS = ["v4.channel.k8s.io"];
// The kubelet's streamCreationTimeout.
const STREAMS_TIMEOUT_MS = 30_000;

/** Resolves once the client has opened its streams; undefined where it is refused or gives up. */
export async function acceptSpdyCommand(
  upgrade: Upgrade,
  wanted: CommandRequest,
): Promise<ClientStreams | undefined> {
  if (!acceptSpdy(upgrade, PROTOCOLS)) return undefined;
  const missing = new Set(["error"]);
  if (wanted.stdin) missing.add("stdin");
  if (wanted.stdout) missing.add("stdout");
  if (wanted.stderr && !wanted.tty) missing.add("stderr");
  // The last that a client opens: closing before it is answered would leave the client waiting for the answer.
  if (wanted.tty) missing.add("resize");
  const sizes = createTerminalSizes();
  const found = new Map<string, Duplex>();
  let complete: (done: boolean) => void = () => {};
  const completed = new Promise<boolean>((resolve) => {
    complete = resolve;
  });
  const onStream = ({ headers, duplex }: SpdyStream) => {
    const type = headers["streamtype"] ?? "";
    if (!missing.delete(type)) return duplex.destroy();
    found.set(type, duplex);
    if (type === "resize") duplex.on("data", (data: Buffer) => sizes.take(data.toString()));
    else if (type !== "stdin") duplex.resume();
    if (missing.size === 0) complete(true);
  };
  const connection = createSpdyConnection(upgrade.socket, onStream);
  const timer = setTimeout(() => complete(false), STREAMS_TIMEOUT_MS);
  connection.gone.addEventListener("abort", () => complete(false), { once: true });
  const done = await completed;
  clearTimeout(timer);
  if (!done) {
    connection.close();
    return undefined;
  }
  return {
    stdin: found.get("stdin"),
    stdout: found.get("stdout"),
    stderr: found.get("stderr"),
    sizes,
    gone: connection.gone,
    finish(outcome) {
      const errors = found.get("error");
      // The rest of the input goes nowhere.
      found.get("stdin")?.end().resume();
      errors?.end(JSON.stringify(outcome), () => connection.close());
      if (errors?.destroyed) connection.close();
    },
  };
}
