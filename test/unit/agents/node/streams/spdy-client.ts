// What a client of SPDY/3.1 needs beside the frames.
import { constants, createDeflate } from "node:zlib";
import { spdyDictionary } from "../../../../../agents/node/streams/spdy/dictionary.ts";

/** A client's side: zlib with a sync flush after each block. */
export function compressor(): (headers: Record<string, string>) => Promise<Buffer> {
  const deflate = createDeflate({ dictionary: spdyDictionary() });
  const text = (value: string) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(value.length);
    return Buffer.concat([head, Buffer.from(value)]);
  };
  return (headers) => {
    const entries = Object.entries(headers);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(entries.length);
    deflate.write(Buffer.concat([count, ...entries.flatMap(([key, item]) => [text(key), text(item)])]));
    return new Promise((resolve) =>
      deflate.flush(constants.Z_SYNC_FLUSH, () => resolve(deflate.read() as Buffer)),
    );
  };
}
