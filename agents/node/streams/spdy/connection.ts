// The server's end of a SPDY/3.1 connection: frames on a transport become Duplex streams with headers.
// The transport is a socket after HTTP's upgrade, or a WebSocket whose messages carry the same bytes.
// kubectl's library sends no window updates, so sending never waits for them: the transport's own back-pressure holds it. Receiving
// stands still, for all streams, while one has too much unread, as in Kubernetes.
import { Duplex } from "node:stream";
import { createFrameParser, encodeFrame, type Frame } from "./frames.ts";
import { createHeaderReader, createHeaderWriter, type SpdyHeaders } from "./header-block.ts";

export interface SpdyStream {
  readonly id: number;
  readonly headers: SpdyHeaders;
  /** Destroying it before both ends are done resets the stream. */
  readonly duplex: Duplex;
}

export interface SpdyConnection {
  /** Aborts when the transport is gone. */
  readonly gone: AbortSignal;
  /** Says goodbye and ends the transport after what is still to be written. */
  close(): void;
}

interface Entry extends SpdyStream {
  /** The client has reset it: there is nobody to tell. */
  reset: boolean;
  resume?: (() => void) | undefined;
}

const UNREAD_LIMIT_BYTES = 1024 * 1024;
const CANCEL = 5;
const PROTOCOL_ERROR = 1;

export function createSpdyConnection(
  transport: Duplex,
  onStream: (stream: SpdyStream) => void,
): SpdyConnection {
  const parse = createFrameParser();
  const headerReader = createHeaderReader();
  const headerBlock = createHeaderWriter();
  const streams = new Map<number, Entry>();
  const gone = new AbortController();
  let lastStream = 0;
  let hasWindows = false;

  const send = (frame: Frame, callback?: (error?: Error | null) => void) => {
    if (transport.writable) transport.write(encodeFrame(frame), callback);
    else callback?.(new Error("the client has gone"));
  };
  const remove = (entry: Entry) => {
    streams.delete(entry.id);
    entry.resume?.();
  };
  const openStream = (id: number, headers: SpdyHeaders): Entry => {
    const duplex = new Duplex({
      read: () => entry.resume?.(),
      write: (data: Buffer, _encoding, callback) =>
        send({ type: "data", stream: id, fin: false, data }, callback),
      final: (callback) =>
        send({ type: "data", stream: id, fin: true, data: Buffer.alloc(0) }, () => callback()),
      destroy: (error, callback) => {
        const done = duplex.readableEnded && duplex.writableFinished;
        if (!done && !entry.reset) send({ type: "reset", stream: id, status: CANCEL });
        remove(entry);
        callback(error);
      },
    });
    duplex.on("error", () => {});
    const entry: Entry = { id, headers, duplex, reset: false };
    streams.set(id, entry);
    return entry;
  };
  const take = async (frame: Frame) => {
    if (frame.type === "synStream") {
      const headers = await headerReader.read(frame.block);
      if (frame.stream <= lastStream)
        return send({ type: "reset", stream: frame.stream, status: PROTOCOL_ERROR });
      lastStream = frame.stream;
      const entry = openStream(frame.stream, headers);
      send({ type: "synReply", stream: frame.stream, fin: false, block: headerBlock({}) });
      if (frame.fin) entry.duplex.push(null);
      onStream(entry);
    } else if (frame.type === "headers" || frame.type === "synReply") {
      // Nothing in them matters, but they are part of the compressed stream.
      await headerReader.read(frame.block);
    } else if (frame.type === "data") await takeData(frame);
    else if (frame.type === "reset") {
      const entry = streams.get(frame.stream);
      if (!entry) return;
      entry.reset = true;
      entry.duplex.destroy();
    } else if (frame.type === "ping") send(frame);
    else if (frame.type === "settings" || frame.type === "windowUpdate") hasWindows = true;
  };
  const takeData = async ({ stream, data, fin }: Frame & { type: "data" }) => {
    const entry = streams.get(stream);
    const { duplex } = entry ?? {};
    if (!entry || !duplex || duplex.destroyed) return;
    if (data.length > 0) duplex.push(data);
    if (fin) duplex.push(null);
    if (duplex.readableLength > UNREAD_LIMIT_BYTES && !gone.signal.aborted)
      await new Promise<void>((resolve) => {
        entry.resume = resolve;
      });
    // Only peers that speak of windows keep to them.
    if (!hasWindows || data.length === 0) return;
    for (const id of fin ? [0] : [0, stream]) send({ type: "windowUpdate", stream: id, delta: data.length });
  };
  const end = () => {
    if (gone.signal.aborted) return;
    gone.abort();
    headerReader.close();
    for (const entry of [...streams.values()]) {
      entry.reset = true;
      entry.duplex.destroy();
    }
  };
  const readAll = async () => {
    for await (const chunk of transport) for (const frame of parse(chunk as Buffer)) await take(frame);
  };

  transport.on("error", () => {});
  transport.once("close", end);
  readAll()
    .then(() => transport.end())
    .catch(() => transport.destroy())
    .finally(end);
  return {
    gone: gone.signal,
    close() {
      send({ type: "goAway", lastStream, status: 0 });
      transport.end();
    },
  };
}
