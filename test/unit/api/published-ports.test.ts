import fc from "fast-check";
import { expect, test } from "vitest";
import { PUBLISHED_PORTS } from "../../../src/api/names.ts";
import { publishedPortsOf } from "../../../src/api/published-ports.ts";

const read = (text: string) =>
  publishedPortsOf({ metadata: { name: "web", annotations: { [PUBLISHED_PORTS]: text } } as never });

test("reads what the controller writes", () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc
          .tuple(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom("TCP", "UDP", "SCTP"))
          .map((key) => key.join("/")),
        fc.record(
          { host: fc.oneof(fc.ipV4(), fc.ipV6()), port: fc.integer({ min: 1, max: 65_535 }) },
          { noNullPrototype: true },
        ),
        { noNullPrototype: true },
      ),
      (ports) => {
        expect(read(JSON.stringify(ports))).toEqual(ports);
      },
    ),
  );
});

test.each([
  ["no JSON", "{"],
  ["no object", '["80/TCP"]'],
  ["null", "null"],
  ["an entry that is none", '{"80/TCP":null}'],
  ["a key without a protocol", '{"80":{"host":"127.0.0.1","port":1}}'],
  ["a key with another protocol", '{"80/tcp":{"host":"127.0.0.1","port":1}}'],
  ["a host that is a name", '{"80/TCP":{"host":"localhost","port":1}}'],
  ["a port that is text", '{"80/TCP":{"host":"127.0.0.1","port":"1"}}'],
  ["a port that is too large", '{"80/TCP":{"host":"127.0.0.1","port":65536}}'],
  ["a port between two", '{"80/TCP":{"host":"127.0.0.1","port":80.5}}'],
])("takes %s for nothing", (_, text) => {
  expect(read(text)).toEqual({});
});

test("keeps the sound entries beside one that is not", () => {
  expect(read('{"80/TCP":{"host":"127.0.0.1","port":40080},"__proto__":{"port":1}}')).toEqual({
    "80/TCP": { host: "127.0.0.1", port: 40_080 },
  });
});
