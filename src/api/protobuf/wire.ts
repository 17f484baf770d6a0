// Protobuf's wire format: varints, fixed numbers and length-delimited bytes, read with bounds and written as they come.

/** What a field's tag says of its value. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

export class WireError extends Error {}

/** Reads fields one after the other. Throws WireError where the bytes end too early. */
export class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next field's number and wire type. */
  tag(): { number: number; type: number } {
    const tag = this.varint();
    if (tag < 8 || tag > 0xffffffff) throw new WireError(`illegal tag ${tag}`);
    return { number: Math.floor(tag / 8), type: tag % 8 };
  }

  /** A varint as a signed 64-bit number; beyond 2^53 it is rounded. */
  varint(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new WireError("unexpected EOF");
      const bits = byte & 0x7f;
      if (shift < 28) low += bits * 2 ** shift;
      else if (shift === 28) {
        low += (bits & 0x0f) * 2 ** 28;
        high += bits >> 4;
      } else high += bits * 2 ** (shift - 32);
      if (byte < 0x80) return ((high % 2 ** 32) | 0) * 2 ** 32 + low;
    }
    throw new WireError("integer overflow");
  }

  bytes(): Uint8Array {
    const length = this.varint();
    if (length < 0 || this.#at + length > this.#bytes.length) throw new WireError("unexpected EOF");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  double(): number {
    if (this.#at + 8 > this.#bytes.length) throw new WireError("unexpected EOF");
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, 8);
    this.#at += 8;
    return view.getFloat64(0, true);
  }

  /** Passes over the value of a field that nobody knows. */
  skip(type: number): void {
    if (type === VARINT) this.varint();
    else if (type === BYTES) this.bytes();
    else if (type === FIXED64 || type === FIXED32) this.#at += type === FIXED64 ? 8 : 4;
    else throw new WireError(`illegal wireType ${type}`);
    if (this.#at > this.#bytes.length) throw new WireError("unexpected EOF");
  }
}

/** Gathers fields. */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(128);
  #length = 0;

  /** What has been written. The writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  int(number: number, value: number): void {
    this.#tag(number, VARINT);
    if (value >= 0 && value < 2 ** 53) this.#varint(value);
    else this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
  }

  double(number: number, value: number): void {
    this.#tag(number, FIXED64);
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  bytes(number: number, value: Uint8Array): void {
    this.#tag(number, BYTES);
    this.#varint(value.length);
    this.raw(value);
  }

  string(number: number, value: string): void {
    this.nested(number, () => {
      // No character takes more than three bytes for each of its UTF-16 units.
      this.#reserve(3 * value.length);
      this.#length += this.#bytes.write(value, this.#length);
    });
  }

  /** A field of whatever `write` writes to this writer: a message, in place. */
  nested(number: number, write: () => void): void {
    this.#tag(number, BYTES);
    // Most lengths take one byte; for a longer one the value moves up.
    this.#reserve(1);
    const start = ++this.#length;
    write();
    const size = this.#length - start;
    const digits = varintLength(size);
    // With the room that #varint asks for: further back it must not move what follows.
    this.#reserve(10);
    if (digits > 1) this.#bytes.copyWithin(start - 1 + digits, start, this.#length);
    this.#length = start - 1;
    this.#varint(size);
    this.#length += size;
  }

  /** The same, but no field at all when `write` writes nothing. */
  nestedUnlessEmpty(number: number, write: () => void): void {
    const before = this.#length;
    this.nested(number, write);
    if (this.#bytes[this.#length - 1] === 0 && this.#length === before + varintLength(number * 8) + 1)
      this.#length = before;
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  #tag(number: number, type: number): void {
    this.#varint(number * 8 + type);
  }

  #varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  #bigVarint(value: bigint): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80n) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) + 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** How many bytes a number below 2^53 takes as a varint. */
function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}
