// nc: connects standard input and output to a port, looks whether one is open (-z), or listens for one connection (-l).
import net, { type Socket } from "node:net";
import { connectWords } from "./http.ts";
import { parseOptions } from "./options.ts";
import { placeOf } from "./reach.ts";
import type { Tool } from "./tool.ts";

const SPEC = { known: ["z", "v", "n", "w:", "l", "p:", "k", "q:"] };

export async function nc(tool: Tool): Promise<number> {
  const options = parseOptions(tool.args, SPEC);
  const { operands } = options;
  if (options.unknown !== undefined || operands.length > 2) {
    tool.printError("Usage: nc [-zv] [-w SEC] HOST PORT  or  nc -l [-p] PORT\n");
    return 1;
  }
  if (options.has("l")) return listen(Number(options.value("p") ?? operands.at(-1)), tool);
  const [host = "", port = ""] = operands;
  const waitMs = (Number(options.value("w")) || 0) * 1000;
  const place = await placeOf(host, Number(port), tool);
  if (!place) {
    tool.printError(`nc: bad address '${host}'\n`);
    return 1;
  }
  const shown = `${host} (${place.address}:${port})`;
  const socket = net.connect({ host: place.host, port: place.port });
  const problem = await connected(socket, waitMs);
  if (problem !== undefined) {
    tool.printError(`nc: ${shown}: ${problem}\n`);
    return 1;
  }
  if (options.has("v")) tool.printError(`${shown} open\n`);
  if (options.has("z")) {
    socket.destroy();
    return 0;
  }
  return join(socket);
}

/** Undefined once it is; else why not. */
function connected(socket: Socket, waitMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer =
      waitMs > 0 ? setTimeout(() => socket.destroy(new Error("Connection timed out")), waitMs) : undefined;
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(undefined);
    });
    socket.once("error", (error) => {
      clearTimeout(timer);
      resolve(connectWords(error));
    });
  });
}

function join(socket: Socket): Promise<number> {
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
  return new Promise((resolve) => {
    socket.once("error", () => resolve(1));
    socket.once("close", () => resolve(0));
  });
}

function listen(port: number, { env, printError }: Tool): Promise<number> {
  const server = net.createServer({ allowHalfOpen: true });
  return new Promise((resolve) => {
    server.once("error", (error) => {
      printError(`nc: bind: ${error.message}\n`);
      resolve(1);
    });
    server.once("connection", (socket) => {
      server.close();
      resolve(join(socket));
    });
    server.listen(port, env["POD_IP"] ?? "127.0.0.1");
  });
}
