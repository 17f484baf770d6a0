import net, { type AddressInfo, type Socket } from "node:net";
import { duplexPair } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { type ForwardTarget, forwardStreams } from "../../../../../agents/node/streams/port-forward.ts";
import {
  createFrameParser,
  encodeFrame,
  type Frame,
} from "../../../../../agents/node/streams/spdy/frames.ts";
import { compressor } from "./spdy-client.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

const ERROR = 1;
const DATA = 3;

/** Opens one connection to a pod whose server is `onConnection`. */
async function forwardTo(onConnection: (socket: Socket) => void, { isGone = false } = {}) {
  const server = net.createServer({ allowHalfOpen: true }, onConnection);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => server.close());
  const [client, transport] = duplexPair();
  const { port } = server.address() as AddressInfo;
  const pod = { metadata: { name: "web", namespace: "default", uid: "1" } } as ForwardTarget["pod"];
  forwardStreams(transport, {
    host: { portAddress: () => (isGone ? undefined : { host: "127.0.0.1", port }) },
    pod,
  });
  const received: Frame[] = [];
  const parse = createFrameParser();
  client.on("data", (chunk) => received.push(...parse(chunk)));
  cleanups.push(() => client.destroy());
  const send = (frame: Frame) => client.write(encodeFrame(frame));
  const compress = compressor();
  for (const [stream, streamType] of [
    [ERROR, "error"],
    [DATA, "data"],
  ] as const) {
    const block = await compress({ streamType, port: "80", requestID: "0" });
    send({ type: "synStream", stream, fin: stream === ERROR, block });
  }
  const dataOf = (stream: number) =>
    received.flatMap((frame) => (frame.type === "data" && frame.stream === stream ? [frame] : []));
  return {
    textOf: (stream: number) => Buffer.concat(dataOf(stream).map(({ data }) => data)).toString(),
    hasEnded: (stream: number) => dataOf(stream).some(({ fin }) => fin),
    say: (text: string, fin: boolean) => send({ type: "data", stream: DATA, fin, data: Buffer.from(text) }),
  };
}

test("a pod that ends its side first ends the whole of it for a client that waits for that, and still hears the client", async () => {
  let heard = "";
  const { textOf, hasEnded, say } = await forwardTo((socket) => {
    socket.end("bye");
    socket.on("data", (chunk) => {
      heard += chunk;
    });
  });
  await expect.poll(() => [hasEnded(DATA), hasEnded(ERROR)]).toEqual([true, true]);
  expect([textOf(DATA), textOf(ERROR)]).toEqual(["bye", ""]);
  say("thanks", true);
  await expect.poll(() => heard).toBe("thanks");
});

test("a client that ends its side first gets the rest", async () => {
  const { textOf, hasEnded, say } = await forwardTo((socket) => {
    let asked = "";
    socket.on("data", (chunk) => {
      asked += chunk;
    });
    socket.on("end", () => socket.end(`you said ${asked}`));
  });
  say("hello", true);
  await expect.poll(() => hasEnded(ERROR)).toBe(true);
  expect([textOf(DATA), textOf(ERROR), hasEnded(DATA)]).toEqual(["you said hello", "", true]);
});

test("a connection that breaks is not said to have been refused", async () => {
  const { textOf, hasEnded, say } = await forwardTo((socket) => {
    socket.once("data", () => socket.resetAndDestroy());
  });
  say("hello", false);
  await expect.poll(() => hasEnded(ERROR)).toBe(true);
  expect(textOf(ERROR)).toBe(
    'error forwarding port 80 to pod web_default, uid 1: connection to localhost:80 inside namespace "default" broke: read tcp4 127.0.0.1:80: connection reset by peer',
  );
});

test("once the pod is gone nothing else is met at its address", async () => {
  const { textOf, hasEnded } = await forwardTo((socket) => socket.end("another pod"), { isGone: true });
  await expect.poll(() => [hasEnded(DATA), hasEnded(ERROR)]).toEqual([true, true]);
  expect([textOf(DATA), textOf(ERROR)]).toEqual([
    "",
    'error forwarding port 80 to pod web_default, uid 1: pod not found ("web_default")',
  ]);
});
