import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bits, integer, objectIdentifier, octets, sequence, time, utf8 } from "../../../src/pki/der.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** The content of an element, by a reading of the length that knows nothing of the writer's. */
function content(bytes: Buffer): Buffer {
  const first = bytes[1]!;
  if (first < 0x80) return bytes.subarray(2, 2 + first);
  const digits = first & 0x7f;
  const length = bytes.readUIntBE(2, digits);
  expect(bytes.length).toBe(2 + digits + length);
  return bytes.subarray(2 + digits);
}

describe("der", () => {
  it("writes the examples of X.690", () => {
    expect(hex(objectIdentifier("1.2.840.113549"))).toBe("06062a864886f70d");
    expect(hex(objectIdentifier("2.5.29.17"))).toBe("0603551d11");
    expect(hex(bits(Uint8Array.of(0b1000_0110), 1))).toBe("03020186");
    expect(hex(utf8("é"))).toBe("0c02c3a9");
    expect(hex(sequence())).toBe("3000");
  });

  it("keeps integers positive and as short as they can be", () => {
    expect(hex(integer(Uint8Array.of(0)))).toBe("020100");
    expect(hex(integer(Uint8Array.of(0, 0, 127)))).toBe("02017f");
    expect(hex(integer(Uint8Array.of(128)))).toBe("02020080");
  });

  it("changes from UTCTime to GeneralizedTime in 2050", () => {
    expect(content(time(Date.UTC(2049, 11, 31, 23, 59, 59))).toString()).toBe("491231235959Z");
    expect(content(time(Date.UTC(2050, 0, 1))).toString()).toBe("20500101000000Z");
  });

  it("says the length of content of any size", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 70_000 }), (size) => {
        expect(content(octets(Buffer.alloc(size, 7))).equals(Buffer.alloc(size, 7))).toBe(true);
      }),
      { numRuns: 200, examples: [[0], [127], [128], [255], [256], [65_535], [65_536]] },
    );
  });
});
