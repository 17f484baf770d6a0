// SPDY/3 header blocks: names and values, compressed by one zlib stream a direction, with a dictionary both ends know.
import { createInflate, type Inflate } from "node:zlib";
import { spdyDictionary } from "./dictionary.ts";

/** Lower-case names. */
export type SpdyHeaders = Readonly<Record<string, string>>;

// Ours are a handful of short names; more than this is an attack on memory.
const LARGEST_BLOCK_BYTES = 64 * 1024;

export interface HeaderReader {
  /** The blocks of a connection, in their order; wait for each before the next. Rejects on what is no header block. */
  read(block: Buffer): Promise<SpdyHeaders>;
  close(): void;
}

export function createHeaderReader(): HeaderReader {
  let inflate: Inflate | undefined;
  return {
    async read(block) {
      inflate ??= createInflate({
        dictionary: spdyDictionary(),
        readableHighWaterMark: LARGEST_BLOCK_BYTES * 2,
      } as object);
      return parseHeaders(await inflateBlock(inflate, block));
    },
    close() {
      inflate?.close();
    },
  };
}

function inflateBlock(inflate: Inflate, block: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error | null) => {
      inflate.off("error", settle);
      inflate.off("readable", check);
      if (error) reject(error);
      else resolve((inflate.read() as Buffer | null) ?? Buffer.alloc(0));
    };
    const check = () => {
      if (inflate.readableLength > LARGEST_BLOCK_BYTES) settle(new Error("SPDY header block too large"));
    };
    inflate.on("error", settle);
    inflate.on("readable", check);
    inflate.write(block, (error) => settle(error));
  });
}

function parseHeaders(bytes: Buffer): SpdyHeaders {
  const headers: Record<string, string> = Object.create(null);
  let offset = 0;
  const number = () => {
    if (offset + 4 > bytes.length) throw new Error("SPDY header block too short");
    offset += 4;
    return bytes.readUInt32BE(offset - 4);
  };
  const text = () => {
    const length = number();
    if (offset + length > bytes.length) throw new Error("SPDY header block too short");
    offset += length;
    return bytes.toString("latin1", offset - length, offset);
  };
  for (let left = number(); left > 0; left--) {
    const name = text().toLowerCase();
    // Several values of one name are parted by a zero byte.
    headers[name] = text().replaceAll("\0", ", ");
  }
  return headers;
}

/**
 * Writes blocks as stored (uncompressed) pieces of one valid zlib stream: the few bytes that a server has to say in headers are not
 * worth a compressor's memory on each connection.
 */
export function createHeaderWriter(): (headers: SpdyHeaders) => Buffer {
  let begun = false;
  return (headers) => {
    const entries = Object.entries(headers);
    const parts = [length(entries.length)];
    for (const [name, value] of entries) parts.push(prefixed(name), prefixed(value));
    const block = stored(Buffer.concat(parts));
    if (begun) return block;
    begun = true;
    return Buffer.concat([ZLIB_HEAD, block]);
  };
}

// Deflate, 32 KB window, with the preset dictionary of that Adler-32 (RFC 1950 section 2.2).
const ZLIB_HEAD = Buffer.from("7820e3c6a7c2", "hex");

// An empty stored piece, as zlib's sync flush writes it: without it Go's reader waits for the next piece before it gives out this one.
const SYNC_FLUSH = Buffer.from("000000ffff", "hex");

function stored(bytes: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(bytes.length, 1);
  head.writeUInt16LE(~bytes.length & 0xffff, 3);
  return Buffer.concat([head, bytes, SYNC_FLUSH]);
}

function length(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function prefixed(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([length(bytes.length), bytes]);
}
