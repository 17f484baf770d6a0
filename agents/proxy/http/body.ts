// Finds where a message's body ends, without copying it.
import { CHUNKED, type Framing, UNTIL_CLOSE } from "./head.ts";

export interface BodyScanner {
  readonly done: boolean;
  /** The body is malformed: nothing after this can be trusted. */
  readonly broken: boolean;
  /** Reads on in `chunk` from `from`; returns where the body ends in it: its length where it goes on. */
  take(chunk: Buffer, from: number): number;
}

export function scanBody(framing: Framing): BodyScanner {
  if (framing === CHUNKED) return new ChunkedBody();
  return new LengthBody(framing === UNTIL_CLOSE ? Number.POSITIVE_INFINITY : framing);
}

class LengthBody implements BodyScanner {
  readonly broken = false;
  private left: number;
  constructor(length: number) {
    this.left = length;
  }
  get done(): boolean {
    return this.left === 0;
  }
  take(chunk: Buffer, from: number): number {
    const taken = Math.min(this.left, chunk.length - from);
    this.left -= taken;
    return from + taken;
  }
}

const CR = 13;
const LF = 10;
// Sixteen hexadecimal digits could not be counted; no chunk is that long.
const MOST_DIGITS = 12;
const LONGEST_LINE = 16 * 1024;

class ChunkedBody implements BodyScanner {
  done = false;
  broken = false;
  private state: "size" | "extension" | "data" | "trailer" = "size";
  private size = 0;
  private digits = 0;
  private left = 0;
  private lineLength = 0;
  private before = 0;

  take(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length && !this.done && !this.broken) {
      if (this.state === "data") at = this.skip(chunk, at);
      else this.step(chunk[at++] as number);
    }
    return at;
  }

  /** Over a chunk's data; `left` counts the CR LF after it as well. */
  private skip(chunk: Buffer, at: number): number {
    const available = chunk.length - at;
    if (this.left - 2 > available) {
      this.left -= available;
      return chunk.length;
    }
    let next = at + Math.max(this.left - 2, 0);
    let ends = Math.min(this.left, 2);
    for (; ends > 0 && next < chunk.length; ends--) {
      if (chunk[next++] !== (ends === 2 ? CR : LF)) this.broken = true;
    }
    this.left = ends;
    if (ends === 0) this.begin("size");
    return next;
  }

  private step(byte: number): void {
    if (this.before === CR && byte !== LF) this.broken = true;
    if (byte === LF) {
      if (this.before !== CR) this.broken = true;
      else this.endLine();
    } else if (byte !== CR) this.inLine(byte);
    this.before = byte === LF ? 0 : byte;
  }

  private inLine(byte: number): void {
    if (++this.lineLength > LONGEST_LINE) this.broken = true;
    if (this.state !== "size") return;
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.size = this.size * 16 + digit;
      if (++this.digits > MOST_DIGITS) this.broken = true;
    } else if (this.digits > 0 && (byte === 59 || byte === 32 || byte === 9)) this.state = "extension";
    else this.broken = true;
  }

  private endLine(): void {
    if (this.state === "trailer") {
      if (this.lineLength === 0) this.done = true;
      this.lineLength = 0;
      return;
    }
    if (this.digits === 0) this.broken = true;
    else if (this.size === 0) this.begin("trailer");
    else {
      this.left = this.size + 2;
      this.begin("data");
    }
  }

  private begin(state: "size" | "data" | "trailer"): void {
    this.state = state;
    this.size = 0;
    this.digits = 0;
    this.lineLength = 0;
    this.before = 0;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
