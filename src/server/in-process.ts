// The client side of the server for what runs in the same process: requests go straight to the handler, objects come out as
// the store's frozen ones, watch events arrive in the same turn of the event loop in which their write was committed.

import { StatusError } from "../api/status-error.ts";
import type { Transport, TransportRequest, TransportResponse, WatchEvent } from "../client/transport.ts";
import { userOf } from "./authentication.ts";
import type { Handle } from "./dispatch.ts";
import type { ApiRequest } from "./request.ts";

export function createInProcessTransport(handle: Handle, user: string, groups: readonly string[]): Transport {
  const identity = userOf(user, groups);
  const closed = new AbortController();
  const read = (request: TransportRequest, extra?: Record<string, string>): ApiRequest => ({
    method: request.method,
    path: request.path,
    query: queryOf(request, extra),
    user: identity,
    accept: "application/json",
    contentType: request.contentType,
    userAgent: user.slice(user.lastIndexOf(":") + 1),
    readBody: async () => ({ value: request.body }),
  });
  return {
    async request(request): Promise<TransportResponse> {
      refuseAborted(request.signal, closed.signal);
      const answer = await handle(read(request));
      refuseAborted(request.signal, closed.signal);
      if (answer.form === "document")
        return { status: answer.status, body: answer.value(), warnings: answer.warnings ?? [] };
      if (answer.form === "raw")
        return { status: answer.status, body: String(answer.bytes), warnings: answer.warnings ?? [] };
      answer.start({ send: () => false, whenReady() {}, end() {} })();
      throw new Error("a watch must be opened with watch()");
    },
    async watch(request, onEvent) {
      const signals = request.signal ? [request.signal, closed.signal] : [closed.signal];
      const signal = AbortSignal.any(signals);
      if (signal.aborted) return;
      const answer = await handle(read(request, { watch: "true" }));
      if (answer.form === "document") throw new StatusError(answer.value() as StatusError["status"]);
      if (answer.form !== "watch" || signal.aborted) return;
      await follow(answer.start, { signal, onEvent });
    },
    close: () => closed.abort(),
  };
}

function follow(
  start: (sink: { send(event: Line): boolean; whenReady(next: () => void): void; end(): void }) => () => void,
  { signal, onEvent }: { signal: AbortSignal; onEvent: (event: WatchEvent) => void },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let stop: (() => void) | undefined;
    const abort = () => stop?.();
    signal.addEventListener("abort", abort, { once: true });
    stop = start({
      send(event) {
        if (signal.aborted) return false;
        try {
          onEvent({ type: event.type, object: event.object() });
          return true;
        } catch (error) {
          reject(error);
          return false;
        }
      },
      whenReady: (next) => void setImmediate(next),
      end() {
        signal.removeEventListener("abort", abort);
        resolve();
      },
    });
    if (signal.aborted) stop();
  });
}

interface Line {
  readonly type: WatchEvent["type"];
  object(): unknown;
}

function refuseAborted(...signals: readonly (AbortSignal | undefined)[]): void {
  for (const signal of signals) signal?.throwIfAborted();
}

function queryOf({ query = {} }: TransportRequest, extra: Record<string, string> = {}): URLSearchParams {
  const parameters = new URLSearchParams(extra);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) parameters.set(name, String(value));
  return parameters;
}
