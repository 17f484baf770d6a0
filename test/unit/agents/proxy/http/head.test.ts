import { describe, expect, test } from "vitest";
import {
  CHUNKED,
  parseRequestHead,
  parseResponseHead,
  UNTIL_CLOSE,
} from "../../../../../agents/proxy/http/head.ts";
import { isSafeRequest } from "../../../../../agents/proxy/http/safe-request.ts";

const lines = (...all: string[]) => `${all.join("\r\n")}\r\n`;

describe("the head of a request", () => {
  test("is passed on as it came, but for what concerns the client's connection", () => {
    const text = lines(
      "GET /a?b HTTP/1.1",
      "Host: web:80",
      "keep-alive: timeout=5",
      "Accept: */*",
      "Connection: keep-alive, X-Hop",
      "X-Hop: 1",
      "X-Hops: 2",
    );
    expect(parseRequestHead(text)).toEqual({
      method: "GET",
      target: "/a?b",
      host: "web:80",
      isOld: false,
      framing: 0,
      close: false,
      upgrade: false,
      forwardedFor: undefined,
      forward: lines("GET /a?b HTTP/1.1", "Host: web:80", "Accept: */*", "X-Hops: 2"),
    });
  });

  test.each<[string[], object]>([
    [["content-length: 12"], { framing: 12 }],
    [["Transfer-Encoding: Chunked"], { framing: CHUNKED }],
    [["Connection: close"], { close: true, forward: lines("POST / HTTP/1.1") }],
    [
      ["Connection: Upgrade", "Upgrade: websocket"],
      { upgrade: true, forward: lines("POST / HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket") },
    ],
    [["X-Forwarded-For: 1.2.3.4", "x-forwarded-for: 5.6.7.8"], { forwardedFor: "1.2.3.4, 5.6.7.8" }],
    // What says where the message ends cannot be taken away by naming it.
    [
      ["Connection: content-length", "Content-Length: 3"],
      { framing: 3, forward: lines("POST / HTTP/1.1", "Content-Length: 3") },
    ],
  ])("%j", (fields, expected) => {
    expect(parseRequestHead(lines("POST / HTTP/1.1", ...fields))).toMatchObject(expected);
  });

  test.each<[string[], number]>([
    [["GET / HTTP/2.0"], 505],
    [["GET /"], 400],
    [["GET / / HTTP/1.1"], 400],
    [["GET / HTTP/1.1", "Content-Length: 1", "Transfer-Encoding: chunked"], 400],
    [["GET / HTTP/1.1", "Content-Length: 1", "Content-Length: 2"], 400],
    [["GET / HTTP/1.1", "Content-Length: +1"], 400],
    [["GET / HTTP/1.1", "Content-Length: 1, 1"], 400],
    [["GET / HTTP/1.1", "Transfer-Encoding: gzip, chunked"], 501],
    [["GET / HTTP/1.0", "Transfer-Encoding: chunked"], 400],
    [["GET / HTTP/1.1", "Host: a", "Host: b"], 400],
    [["GET / HTTP/1.1", "Content-Length : 1"], 400],
    [["GET / HTTP/1.1", " folded: 1"], 400],
    // To one reader a no-break space is blank, to another it is not.
    [["GET / HTTP/1.1", "Content-Length: \xa05"], 400],
    [["GET / HTTP/1.1", "Content-Length\xa0: 5"], 400],
    [["GET / HTTP/1.1", "Transfer-Encoding: \xa0chunked"], 501],
    [["GET / HTTP/1.1", "two words: 5"], 400],
    [["GET / HTTP/1.1", "nothing"], 400],
    [["GET / HTTP/1.1", "a: b\nContent-Length: 5"], 400],
    [["GET / HTTP/1.1", "a: b\rContent-Length: 5"], 400],
    [["GET / HTTP/1.1", "a: \0"], 400],
  ])("%j is refused with %d", (all, status) => {
    expect(parseRequestHead(lines(...all))).toMatchObject({ bad: status });
  });
});

// A head is 64 KiB at most: work that grew with its square would hold all other connections up for seconds.
describe("a head made to be slow", () => {
  const shortest = (work: () => void) =>
    Math.min(
      ...Array.from({ length: 3 }, () => {
        const startedAt = performance.now();
        work();
        return performance.now() - startedAt;
      }),
    );
  const harmless = lines("GET / HTTP/1.1", ...Array(8_000).fill("b-c: 34"));
  // What grew with the square took hundreds of times as long as a harmless head of that length.
  const asFastAsOthers = (work: () => void) =>
    expect(shortest(work) / shortest(() => parseRequestHead(harmless))).toBeLessThan(50);

  test("names thousands of fields in its Connection header", () => {
    const names = Array.from({ length: 7_000 }, (_, index) => index.toString(36)).join(",");
    const more = Array(4_000).fill("b-c: 34");
    const text = lines("GET / HTTP/1.1", `Connection: ${names}`, "zz: 1", ...more, "a: 2");
    asFastAsOthers(() =>
      expect(parseRequestHead(text)).toMatchObject({ forward: lines("GET / HTTP/1.1", ...more) }),
    );
  });

  test("has thousands of lines that look like the first", () => {
    const text = lines(
      "GET / HTTP/1.1",
      ...Array(2_500).fill("a: HTTP/1.1"),
      "Upgrade: x",
      "y".repeat(30_000),
    );
    asFastAsOthers(() => expect(isSafeRequest(Buffer.from(`${text}\r\n`))).toBe(false));
  });

  test("has a value of blanks", () => {
    const text = lines("GET / HTTP/1.1", `Host: a${" ".repeat(60_000)}b`);
    asFastAsOthers(() => expect(parseRequestHead(text)).toMatchObject({ framing: 0 }));
  });
});

describe("the head of a response", () => {
  test.each<[string, string[], string, object]>([
    ["HTTP/1.1 200 OK", ["Content-Length: 5"], "GET", { status: 200, framing: 5, close: false }],
    ["HTTP/1.1 200 OK", ["Content-Length: 5"], "HEAD", { framing: 0 }],
    ["HTTP/1.1 304 Not Modified", ["Content-Length: 5"], "GET", { framing: 0, close: false }],
    ["HTTP/1.1 204 No Content", [], "GET", { framing: 0 }],
    ["HTTP/1.1 200", ["Transfer-Encoding: chunked"], "GET", { framing: CHUNKED }],
    ["HTTP/1.1 200", ["Transfer-Encoding: gzip, chunked"], "GET", { framing: CHUNKED }],
    ["HTTP/1.1 200", ["Transfer-Encoding: gzip"], "GET", { framing: UNTIL_CLOSE }],
    ["HTTP/1.1 200 OK", [], "GET", { framing: UNTIL_CLOSE, close: true }],
    ["HTTP/1.0 200 OK", ["Content-Length: 5"], "GET", { close: true }],
    ["HTTP/1.1 200 OK", ["Connection: close", "Content-Length: 0"], "GET", { close: true }],
    [
      "HTTP/1.1 200 OK",
      ["Connection: keep-alive", "Keep-Alive: timeout=5, max=3", "Content-Length: 0"],
      "GET",
      { keepAliveMs: 5000, forward: lines("HTTP/1.1 200 OK", "Content-Length: 0") },
    ],
    [
      "HTTP/1.1 200 OK",
      ["Content-Length: 5", "Transfer-Encoding: chunked"],
      "GET",
      {
        framing: CHUNKED,
        close: true,
        forward: lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"),
      },
    ],
  ])("%s %j to %s", (line, fields, method, expected) => {
    expect(parseResponseHead(lines(line, ...fields), method)).toMatchObject(expected);
  });

  test("that is none cannot be read", () => {
    expect(parseResponseHead(lines("SSH-2.0-OpenSSH"), "GET")).toBeUndefined();
    expect(parseResponseHead(lines("HTTP/1.1 200 OK", "Content-Length: x"), "GET")).toBeUndefined();
  });
});

test.each<[string, boolean]>([
  ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", true],
  ["HEAD /a HTTP/1.0\r\n\r\n", true],
  ["GET / HTTP/1.1\r\nContent-Length: 2\r\n\r\n", false],
  ["GET / HTTP/1.1\r\nHost: a\r\nupgrade: websocket\r\n\r\n", false],
  ["GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n", false],
  ["GET key\r\n\r\n", false],
  ["GET key\r\na: HTTP/1.1\r\n\r\n", false],
  ["POST / HTTP/1.1\r\n\r\n", false],
  ["", false],
])("at L4 %j is a whole safe request: %j", (text, expected) => {
  expect(isSafeRequest(Buffer.from(text))).toBe(expected);
});
