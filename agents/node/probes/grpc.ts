// grpc.health.v1.Health/Check over clear-text HTTP/2, with the two messages written out by hand: a request is one
// string (field 1), a reply one enumeration (field 1: 1 is SERVING). Loaded only where a manifest has such a probe.
import http2 from "node:http2";
import { goDuration } from "../pod/go-duration.ts";
import type { CheckResult } from "./check.ts";

const SERVING = 1;
const STATES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const NOT_IMPLEMENTED = "12";

export function checkGrpc(options: {
  host: string;
  port: number;
  service: string;
  timeoutMs: number;
}): Promise<CheckResult> {
  const { host, port, service, timeoutMs } = options;
  return new Promise((resolve) => {
    const session = http2.connect(`http://${host}:${port}`);
    const end = (result: CheckResult) => {
      clearTimeout(timer);
      session.destroy();
      resolve(result);
    };
    const fail = (output: string) => end({ ok: false, output });
    const unreachable = `timeout: failed to connect service "${host}:${port}" within ${goDuration(timeoutMs)}: context deadline exceeded`;
    const timer = setTimeout(() => fail(unreachable), timeoutMs);
    session.once("error", () => fail(unreachable));
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      "user-agent": "kube-probe/1.36",
      te: "trailers",
    });
    const chunks: Buffer[] = [];
    let status: string | undefined;
    const note = (headers: http2.IncomingHttpHeaders) => {
      const value = headers["grpc-status"];
      if (value !== undefined) status = String(value);
    };
    stream.on("response", note);
    stream.on("trailers", note);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("error", () => fail(unreachable));
    stream.once("end", () =>
      setImmediate(() => {
        if (status === NOT_IMPLEMENTED)
          return fail(
            `error: this server does not implement the grpc health protocol (grpc.health.v1.Health)`,
          );
        if (status !== undefined && status !== "0") return fail(`error: health rpc failed: code ${status}`);
        const state = servingStatus(Buffer.concat(chunks));
        if (state === SERVING) return end({ ok: true, output: "" });
        fail(`service unhealthy (responded with "${STATES[state] ?? state}")`);
      }),
    );
    stream.end(request(service));
  });
}

/** One uncompressed gRPC message: flag, length, and the service's name as field 1. */
function request(service: string): Buffer {
  const name = Buffer.from(service);
  const message =
    name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];
}

/** Field 1 of the reply; 0 where it is left out. */
function servingStatus(reply: Buffer): number {
  return reply[5] === 0x08 ? (reply[6] ?? 0) : 0;
}
