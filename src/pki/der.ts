// ASN.1 in its distinguished encoding (ITU-T X.690), as much of it as a certificate needs. Each function returns one whole element.

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;

/** Any element: its tag, the length of its content in the shortest form, its content. */
function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body.length)]), body]);
}

function lengthOf(bytes: number): number[] {
  if (bytes < 0x80) return [bytes];
  const digits: number[] = [];
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return [0x80 | digits.length, ...digits];
}

export const sequence = (...content: readonly Uint8Array[]) => element(SEQUENCE, ...content);
export const set = (...content: readonly Uint8Array[]) => element(SET, ...content);
export const octets = (content: Uint8Array) => element(OCTET_STRING, content);
export const utf8 = (text: string) => element(UTF8_STRING, Buffer.from(text, "utf8"));
export const isTrue = () => element(0x01, Uint8Array.of(0xff));
/** A context-specific tag around whole elements. */
export const explicit = (tag: number, ...content: readonly Uint8Array[]) => element(0xa0 | tag, ...content);
/** A context-specific tag in place of a primitive element's own. */
export const implicit = (tag: number, content: Uint8Array) => element(0x80 | tag, content);

/** A number that is not negative, most significant byte first. */
export function integer(value: Uint8Array): Buffer {
  const from = value.findIndex((byte) => byte !== 0);
  const digits = from < 0 ? Uint8Array.of(0) : value.subarray(from);
  // The first bit is the sign.
  return digits[0]! >= 0x80 ? element(INTEGER, Uint8Array.of(0), digits) : element(INTEGER, digits);
}

/** `1.2.840.10045.4.3.2` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
    return digits;
  });
  return element(OBJECT_IDENTIFIER, Uint8Array.from(bytes));
}

/** `unused`: how many bits at the end of the last byte do not count. */
export function bits(content: Uint8Array, unused = 0): Buffer {
  return element(BIT_STRING, Uint8Array.of(unused), content);
}

/** Whole seconds; UTCTime up to 2049 and GeneralizedTime after it, as RFC 5280 section 4.1.2.5 asks. */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().slice(0, 19).replace(/\D/g, "");
  return digits < "2050"
    ? element(UTC_TIME, Buffer.from(`${digits.slice(2)}Z`))
    : element(GENERALIZED_TIME, Buffer.from(`${digits}Z`));
}
