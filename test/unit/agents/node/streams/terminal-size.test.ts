import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TerminalSize } from "../../../../../agents/node/streams/host.ts";
import { createTerminalSizes } from "../../../../../agents/node/streams/terminal-size.ts";

function heard(pieces: readonly string[]): TerminalSize[] {
  const sizes = createTerminalSizes();
  const all: TerminalSize[] = [];
  sizes.tell((size) => all.push(size));
  for (const piece of pieces) sizes.take(piece);
  return all;
}

describe("createTerminalSizes", () => {
  it.each([
    ["one text", ['{"Width":80,"Height":24}\n'], [{ columns: 80, rows: 24 }]],
    [
      "two in one piece: the last",
      ['{"Width":80,"Height":24}\n{"Width":90,"Height":30}\n'],
      [{ columns: 90, rows: 30 }],
    ],
    ["no size", ['{"Width":0,"Height":24}', '{"Width":"80","Height":24}', "[]}", "{}", "null"], []],
    ["what is no size, then one", ["}", '{"Width":1,"Height":1}'], [{ columns: 1, rows: 1 }]],
    ["a text without an end", ["x".repeat(2000), '{"Width":1,"Height":1}'], [{ columns: 1, rows: 1 }]],
  ])("hears %s", (_what, pieces, sizes) => {
    expect(heard(pieces)).toEqual(sizes);
  });

  it("tells a late listener the last size", () => {
    const sizes = createTerminalSizes();
    sizes.take('{"Width":80,"Height":24}');
    let size: TerminalSize | undefined;
    sizes.tell((told) => {
      size = told;
    });
    expect(size).toEqual({ columns: 80, rows: 24 });
  });

  it("ends at the last size, however the stream is cut", () => {
    const size = fc.record({
      columns: fc.integer({ min: 1, max: 65535 }),
      rows: fc.integer({ min: 1, max: 65535 }),
    });
    fc.assert(
      fc.property(fc.array(size, { minLength: 1 }), fc.array(fc.nat(200)), (sizes, cuts) => {
        const text = sizes
          .map(({ columns, rows }) => `${JSON.stringify({ Width: columns, Height: rows })}\n`)
          .join("");
        const at = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
        const pieces = at.slice(1).map((end, index) => text.slice(at[index], end));
        expect(heard(pieces).at(-1)).toEqual(sizes.at(-1));
      }),
    );
  });
});
