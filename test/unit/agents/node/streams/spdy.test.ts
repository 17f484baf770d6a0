import { duplexPair } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CommandRequest } from "../../../../../agents/node/streams/remote-command.ts";
import { createSpdyConnection, type SpdyStream } from "../../../../../agents/node/streams/spdy/connection.ts";
import {
  createFrameParser,
  encodeFrame,
  type Frame,
} from "../../../../../agents/node/streams/spdy/frames.ts";
import {
  createHeaderReader,
  createHeaderWriter,
} from "../../../../../agents/node/streams/spdy/header-block.ts";
import { acceptSpdyCommand } from "../../../../../agents/node/streams/spdy-command.ts";
import type { Upgrade } from "../../../../../agents/node/streams/websocket.ts";
import { compressor } from "./spdy-client.ts";

const id = fc.integer({ min: 1, max: 0x7fffffff });
const bytes = fc.uint8Array({ maxLength: 2000 }).map((array) => Buffer.from(array));
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: fc.constant("synStream" as const), stream: id, fin: fc.boolean(), block: bytes }),
  fc.record({ type: fc.constant("synReply" as const), stream: id, fin: fc.boolean(), block: bytes }),
  fc.record({ type: fc.constant("headers" as const), stream: id, fin: fc.boolean(), block: bytes }),
  fc.record({ type: fc.constant("data" as const), stream: id, fin: fc.boolean(), data: bytes }),
  fc.record({ type: fc.constant("reset" as const), stream: id, status: fc.integer({ min: 1, max: 11 }) }),
  fc.record({ type: fc.constant("settings" as const), flags: fc.constantFrom(0, 1), payload: bytes }),
  fc.record({ type: fc.constant("ping" as const), id }),
  fc.record({ type: fc.constant("goAway" as const), lastStream: id, status: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ type: fc.constant("windowUpdate" as const), stream: id, delta: id }),
);

describe("SPDY frames", () => {
  test("are read as they were written, however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 700 })),
        (frames, cuts) => {
          const parse = createFrameParser();
          const read: Frame[] = [];
          let rest = Buffer.concat(frames.map(encodeFrame));
          for (const cut of [...cuts, rest.length]) {
            read.push(...parse(rest.subarray(0, cut)));
            rest = rest.subarray(cut);
          }
          if (rest.length > 0) read.push(...parse(rest));
          expect(read).toEqual(frames);
        },
      ),
    );
  });

  test("of another version, and control frames of absurd length, are errors", () => {
    expect(() => createFrameParser()(Buffer.from("8002000100000000", "hex"))).toThrow(/SPDY\/3/);
    expect(() => createFrameParser()(Buffer.from("8003000100ffffff", "hex"))).toThrow(/too large/);
    expect(() => createFrameParser()(Buffer.from("GET / HTTP/1.1\r\n"))).not.toThrow();
  });
});

const name = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
const value = fc.stringMatching(/^[ -~]{0,60}$/);

describe("SPDY header blocks", () => {
  test("written by us are read in their order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.dictionary(name, value), { maxLength: 6 }), async (blocks) => {
        const write = createHeaderWriter();
        const reader = createHeaderReader();
        for (const headers of blocks)
          expect({ ...(await reader.read(write(headers))) }).toEqual({ ...headers });
        reader.close();
      }),
    );
  });

  test("written by a compressor with the dictionary are read in their order", async () => {
    const reader = createHeaderReader();
    const compress = compressor();
    for (const port of ["80", "8080", "80"])
      expect(await reader.read(await compress({ streamType: "data", port }))).toEqual({
        streamtype: "data",
        port,
      });
    reader.close();
  });

  test("that unpack to far more than headers need are an error", async () => {
    const reader = createHeaderReader();
    const block = await compressor()({ bomb: "x".repeat(3_000_000) });
    await expect(reader.read(block)).rejects.toThrow(/too large/);
    reader.close();
  });
});

describe("a SPDY connection", () => {
  async function connect() {
    const [client, server] = duplexPair();
    const streams: SpdyStream[] = [];
    const connection = createSpdyConnection(server, (stream) => streams.push(stream));
    const received: Frame[] = [];
    const parse = createFrameParser();
    client.on("data", (chunk) => received.push(...parse(chunk)));
    const compress = compressor();
    const send = (frame: Frame) => client.write(encodeFrame(frame));
    const open = async (stream: number, headers: Record<string, string>) => {
      send({ type: "synStream", stream, fin: false, block: await compress(headers) });
      await expect.poll(() => streams.some(({ id }) => id === stream)).toBe(true);
      return streams.find(({ id }) => id === stream) as SpdyStream;
    };
    return { client, connection, streams, received, send, open };
  }

  test("replies to a new stream, passes data both ways and keeps half-close", async () => {
    const { send, open, received } = await connect();
    const { headers, duplex } = await open(1, { streamType: "data", port: "80" });
    expect(headers).toEqual({ streamtype: "data", port: "80" });
    expect(received).toMatchObject([{ type: "synReply", stream: 1 }]);
    send({ type: "data", stream: 1, fin: false, data: Buffer.from("one ") });
    send({ type: "data", stream: 1, fin: true, data: Buffer.from("two") });
    let text = "";
    for await (const chunk of duplex.on("end", () => duplex.end("answer"))) text += chunk;
    expect(text).toBe("one two");
    await expect
      .poll(() => received.slice(1))
      .toMatchObject([
        { type: "data", data: Buffer.from("answer"), fin: false },
        { type: "data", fin: true },
      ]);
  });

  test("answers pings, and sends more than a window without waiting", async () => {
    const { send, open, received } = await connect();
    send({ type: "ping", id: 7 });
    const { duplex } = await open(1, {});
    duplex.write(Buffer.alloc(300_000));
    const bytes = () =>
      received.reduce((sum, frame) => sum + (frame.type === "data" ? frame.data.length : 0), 0);
    await expect.poll(bytes).toBe(300_000);
    expect(received).toContainEqual({ type: "ping", id: 7 });
  });

  test("stands still while a stream has too much unread, and loses nothing", async () => {
    const { send, open, received } = await connect();
    const { duplex } = await open(1, {});
    for (let index = 0; index < 64; index++)
      send({ type: "data", stream: 1, fin: false, data: Buffer.alloc(64 * 1024) });
    send({ type: "data", stream: 1, fin: true, data: Buffer.alloc(0) });
    send({ type: "ping", id: 9 });
    await expect.poll(() => duplex.readableLength).toBeGreaterThan(1024 * 1024);
    expect(duplex.readableLength).toBeLessThan(1.3 * 1024 * 1024);
    let size = 0;
    for await (const chunk of duplex) size += chunk.length;
    expect(size).toBe(64 * 64 * 1024);
    await expect.poll(() => received).toContainEqual({ type: "ping", id: 9 });
  });

  test("destroys a stream that the client resets, and resets one that is destroyed here", async () => {
    const { send, open, received } = await connect();
    const first = await open(1, {});
    send({ type: "reset", stream: 1, status: 5 });
    await expect.poll(() => first.duplex.destroyed).toBe(true);
    const second = await open(3, {});
    second.duplex.destroy();
    await expect
      .poll(() => received.filter(({ type }) => type === "reset"))
      .toEqual([{ type: "reset", stream: 3, status: 5 }]);
  });

  test("ends every stream when the transport ends", async () => {
    const { client, connection, open } = await connect();
    const { duplex } = await open(1, {});
    client.end();
    await expect.poll(() => connection.gone.aborted && duplex.destroyed).toBe(true);
  });

  test("is cut when the bytes are no SPDY", async () => {
    const { client, connection } = await connect();
    client.write(Buffer.from("8002000100000000", "hex"));
    await expect.poll(() => connection.gone.aborted).toBe(true);
  });
});

describe("a command over SPDY", () => {
  /** Opens the streams in kubectl's order, each once the one before is answered. */
  async function begin(wanted: Partial<CommandRequest>, types: readonly string[]) {
    const [client, socket] = duplexPair();
    const received: Frame[] = [];
    const head: Buffer[] = [];
    const parse = createFrameParser();
    client.on("data", (chunk: Buffer) => {
      if (head.length === 0) head.push(chunk);
      else received.push(...parse(chunk));
    });
    const request = {
      headers: { "x-stream-protocol-version": "v4.channel.k8s.io" },
    } as unknown as Upgrade["request"];
    const accepted = acceptSpdyCommand({ request, socket, head: Buffer.alloc(0) }, {
      stdin: false,
      stdout: false,
      stderr: false,
      tty: false,
      ...wanted,
    } as CommandRequest);
    let state: "waiting" | "begun" = "waiting";
    void accepted.then(() => {
      state = "begun";
    });
    const compress = compressor();
    const states: string[] = [];
    for (const [index, streamType] of types.entries()) {
      const stream = 2 * index + 1;
      client.write(
        encodeFrame({ type: "synStream", stream, fin: false, block: await compress({ streamType }) }),
      );
      await expect
        .poll(() => received.some((each) => each.type === "synReply" && each.stream === stream))
        .toBe(true);
      states.push(state);
    }
    return { accepted, states, received, close: () => client.destroy() };
  }

  test("waits for the terminal's size: a client whose last stream is not answered waits 30 s for it", async () => {
    const wanted = { stdin: true, stdout: true, stderr: true, tty: true };
    const { accepted, states, received, close } = await begin(wanted, ["error", "stdin", "stdout", "resize"]);
    expect(states.slice(0, 3)).toEqual(["waiting", "waiting", "waiting"]);
    const streams = await accepted;
    expect(streams).toMatchObject({ stderr: undefined });
    streams?.finish({ metadata: {}, status: "Success" });
    await expect.poll(() => received.at(-1)).toMatchObject({ type: "goAway", lastStream: 7 });
    close();
  });

  test("without a terminal begins with the last output", async () => {
    const { accepted, close } = await begin({ stdout: true, stderr: true }, ["error", "stdout", "stderr"]);
    expect(await accepted).toMatchObject({ stdin: undefined });
    close();
  });
});
