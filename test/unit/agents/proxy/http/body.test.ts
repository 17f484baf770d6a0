import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scanBody } from "../../../../../agents/proxy/http/body.ts";
import { CHUNKED, UNTIL_CLOSE } from "../../../../../agents/proxy/http/head.ts";

/** Feeds `text` in pieces of those sizes; returns where the body ended, or "broken", or "more". */
function endOf(framing: number, text: Buffer, sizes: readonly number[]): number | "broken" | "more" {
  const scanner = scanBody(framing);
  for (let from = 0, index = 0; from < text.length && !scanner.done; index++) {
    const piece = text.subarray(from, from + Math.max(sizes[index % sizes.length] ?? 1, 1));
    const end = scanner.take(piece, 0);
    if (scanner.broken) return "broken";
    if (scanner.done) return from + end;
    expect(end).toBe(piece.length);
    from += piece.length;
  }
  return scanner.done ? 0 : "more";
}
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

describe("the end of a body", () => {
  test("is found in a chunked one, however it is cut up, with trailers, extensions and what follows", () => {
    const chunk = fc.record({
      data: fc.uint8Array({ minLength: 1, maxLength: 60 }),
      extension: fc.constantFrom("", ";a=b", " "),
    });
    fc.assert(
      fc.property(
        fc.array(chunk),
        fc.array(fc.constantFrom("a: b", "c:")),
        fc.uint8Array(),
        sizes,
        (chunks, trailers, after, cuts) => {
          const parts = chunks.flatMap(({ data, extension }) => [
            Buffer.from(`${data.length.toString(16)}${extension}\r\n`),
            Buffer.from(data),
            Buffer.from("\r\n"),
          ]);
          const trailer = trailers.map((line) => `${line}\r\n`).join("");
          const body = Buffer.concat([...parts, Buffer.from(`0\r\n${trailer}\r\n`)]);
          expect(endOf(CHUNKED, Buffer.concat([body, after]), cuts)).toBe(body.length);
        },
      ),
    );
  });

  test("is after the announced length, or with the connection", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), sizes, (length, sent, cuts) => {
        const expected = sent >= length ? length : "more";
        expect(endOf(length, Buffer.alloc(sent), cuts)).toBe(length === 0 ? 0 : expected);
        if (sent > 0) expect(endOf(UNTIL_CLOSE, Buffer.alloc(sent), cuts)).toBe("more");
      }),
    );
  });

  test.each([
    "x\r\n",
    "\r\n",
    "5\nhello",
    "2\r\nabc\r\n",
    "1\r\na\n\r\n",
    "1\ra\r\n",
    "-1\r\n",
    "ffffffffffffffffff\r\n",
    "5 5x\rhello",
  ])("cannot be known of %j", (text) => {
    expect(endOf(CHUNKED, Buffer.from(text), [1])).toBe("broken");
    expect(endOf(CHUNKED, Buffer.from(text), [100])).toBe("broken");
  });
});
