import { describe, expect, it } from "vitest";
import { warningHeaders } from "../../../../src/server/http/respond.ts";

const texts = (warnings: readonly string[]) =>
  warningHeaders(warnings).map((header) => header.slice('299 - "'.length, -1));

describe("warningHeaders", () => {
  it("says each warning once, whole while there are few", () => {
    const long = "x".repeat(3000);
    expect(texts(["a", long, "a"])).toEqual(["a", long]);
  });

  it("cuts each short when they are too long together, whatever is left out", () => {
    expect(texts(["x".repeat(3000), "y".repeat(3000), "z"])).toEqual(["x".repeat(256), "y".repeat(256), "z"]);
  });

  it("leaves out what has no room, so that no client finds more headers than it reads", () => {
    const many = Array.from({ length: 10_000 }, (_, n) => `unknown field "spec.field${n}"`);
    const said = warningHeaders(many);
    expect(said[0]).toBe('299 - "unknown field \\"spec.field0\\""');
    expect(said.join("").length).toBeLessThan(8 * 1024);
  });
});
