// SPDY/3.1 frames as bytes (SPDY protocol draft 3, section 2.2, with 3.1's numbers): parsing from any chunking, and writing.
// Knows nothing of streams or of what header blocks say.

export type Frame =
  | { readonly type: "synStream"; readonly stream: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: "synReply"; readonly stream: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: "headers"; readonly stream: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: "data"; readonly stream: number; readonly fin: boolean; readonly data: Buffer }
  | { readonly type: "reset"; readonly stream: number; readonly status: number }
  | { readonly type: "settings"; readonly flags: number; readonly payload: Buffer }
  | { readonly type: "ping"; readonly id: number }
  | { readonly type: "goAway"; readonly lastStream: number; readonly status: number }
  | { readonly type: "windowUpdate"; readonly stream: number; readonly delta: number };

const VERSION = 3;
const HEAD_BYTES = 8;
const FIN = 1;
const LARGEST_CONTROL_BYTES = 256 * 1024;
const TYPES = {
  synStream: 1,
  synReply: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

/** Feed it bytes as they come; gives the frames that are complete. Throws on what is no SPDY/3 frame. */
export function createFrameParser(): (chunk: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  let parts: Buffer[] = [];
  let missing = HEAD_BYTES;
  return (chunk) => {
    parts.push(chunk);
    missing -= chunk.length;
    if (missing > 0) return [];
    rest = parts.length === 1 ? chunk : Buffer.concat(parts);
    const frames: Frame[] = [];
    let wanted = HEAD_BYTES;
    while (rest.length >= HEAD_BYTES) {
      wanted = HEAD_BYTES + frameLength(rest);
      if (rest.length < wanted) break;
      const frame = parseFrame(rest.subarray(0, wanted));
      if (frame) frames.push(frame);
      rest = rest.subarray(wanted);
      wanted = HEAD_BYTES;
    }
    parts = rest.length > 0 ? [rest] : [];
    missing = wanted - rest.length;
    return frames;
  };
}

function frameLength(head: Buffer): number {
  const length = head.readUIntBE(5, 3);
  if (!isControl(head)) return length;
  if ((head.readUInt16BE(0) & 0x7fff) !== VERSION) throw new Error("not a SPDY/3 frame");
  if (length > LARGEST_CONTROL_BYTES) throw new Error("SPDY control frame too large");
  return length;
}

const isControl = (frame: Buffer) => ((frame[0] ?? 0) & 0x80) !== 0;

/** Undefined for a type that SPDY/3.1 does not know: to be skipped. */
function parseFrame(frame: Buffer): Frame | undefined {
  const flags = frame[4] ?? 0;
  const fin = (flags & FIN) !== 0;
  const payload = frame.subarray(HEAD_BYTES);
  const number = (offset: number) => {
    if (payload.length < offset + 4) throw new Error("SPDY frame too short");
    return payload.readUInt32BE(offset) & 0x7fffffff;
  };
  if (!isControl(frame)) return { type: "data", stream: frame.readUInt32BE(0), fin, data: payload };
  switch (frame.readUInt16BE(2)) {
    case TYPES.synStream:
      return { type: "synStream", stream: number(0), fin, block: payload.subarray(10) };
    case TYPES.synReply:
      return { type: "synReply", stream: number(0), fin, block: payload.subarray(4) };
    case TYPES.headers:
      return { type: "headers", stream: number(0), fin, block: payload.subarray(4) };
    case TYPES.reset:
      return { type: "reset", stream: number(0), status: number(4) };
    case TYPES.settings:
      return { type: "settings", flags, payload };
    case TYPES.ping:
      return { type: "ping", id: number(0) };
    case TYPES.goAway:
      return { type: "goAway", lastStream: number(0), status: number(4) };
    case TYPES.windowUpdate:
      return { type: "windowUpdate", stream: number(0), delta: number(4) };
    default:
      return undefined;
  }
}

/** The bytes of a frame. */
export function encodeFrame(frame: Frame): Buffer {
  switch (frame.type) {
    case "data": {
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeUInt32BE(frame.stream);
      head[4] = frame.fin ? FIN : 0;
      head.writeUIntBE(frame.data.length, 5, 3);
      return Buffer.concat([head, frame.data]);
    }
    case "synStream":
      // Associated stream 0, priority 0, slot 0.
      return control(
        frame.type,
        [numbers(frame.stream, 0), Buffer.alloc(2), frame.block],
        frame.fin ? FIN : 0,
      );
    case "synReply":
    case "headers":
      return control(frame.type, [numbers(frame.stream), frame.block], frame.fin ? FIN : 0);
    case "reset":
      return control(frame.type, [numbers(frame.stream, frame.status)]);
    case "settings":
      return control(frame.type, [frame.payload], frame.flags);
    case "ping":
      return control(frame.type, [numbers(frame.id)]);
    case "goAway":
      return control(frame.type, [numbers(frame.lastStream, frame.status)]);
    case "windowUpdate":
      return control(frame.type, [numbers(frame.stream, frame.delta)]);
  }
}

function control(type: keyof typeof TYPES, payload: readonly Buffer[], flags = 0): Buffer {
  const body = Buffer.concat(payload);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt16BE(0x8000 | VERSION, 0);
  head.writeUInt16BE(TYPES[type], 2);
  head[4] = flags;
  head.writeUIntBE(body.length, 5, 3);
  return Buffer.concat([head, body]);
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value, index * 4);
  });
  return bytes;
}
