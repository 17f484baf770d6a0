import fc from "fast-check";
import { expect, test } from "vitest";
import { createComponentTokens, signComponentToken } from "../../../src/pki/component-tokens.ts";

const KEY = "a".repeat(64);
const identities = fc.record({ name: fc.string({ minLength: 1 }), groups: fc.array(fc.string()) });

test("a token names whom it was signed for, each time it is asked", () => {
  fc.assert(
    fc.property(identities, (identity) => {
      const read = createComponentTokens(KEY);
      const token = signComponentToken(identity, KEY);
      // It travels in a header.
      expect(token).toMatch(/^[\w.-]+$/);
      expect([read(token), read(token)]).toEqual([identity, identity]);
    }),
  );
});

test("a token with any character changed, or signed with another key, names nobody", () => {
  const read = createComponentTokens(KEY);
  const token = signComponentToken({ name: "system:node:node-1", groups: ["system:nodes"] }, KEY);
  expect(read(token)).toBeDefined();
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom("A", "z", "0", "-", "."), (at, other) => {
      const changed = token.slice(0, at) + other + token.slice(at + 1);
      // The last character of base64url has bits that say nothing.
      fc.pre(changed !== token && at < token.length - 1);
      expect(read(changed)).toBeUndefined();
    }),
  );
  expect(createComponentTokens("b".repeat(64))(token)).toBeUndefined();
});

test("claims without their signature, and what is no token at all, name nobody", () => {
  const read = createComponentTokens(KEY);
  const claims = Buffer.from('{"name":"kubernetes-admin","groups":["system:masters"]}').toString("base64url");
  for (const text of [
    "",
    "kubemu",
    `kubemu.${claims}`,
    `kubemu.${claims}.`,
    `kubemu.${claims}.AAAA`,
    "a.b.c",
  ])
    expect(read(text), text).toBeUndefined();
});
