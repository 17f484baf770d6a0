// What a request is to the server once it has been read off whichever transport, and what an answer is before it goes back
// on: HTTPS (http/) writes the JSON text, the in-process transport hands the objects over as they are.
import type { StatusError } from "../api/status-error.ts";

export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Bytes off a socket, or a value that never was text. */
export type RequestBody = { readonly bytes: Buffer } | { readonly value: unknown };

export interface ApiRequest {
  readonly method: string;
  /** Undecoded, without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly user: User;
  readonly accept: string;
  readonly contentType: string | undefined;
  readonly userAgent: string;
  readonly ifNoneMatch?: string | undefined;
  /** Throws 413 when it is larger than the server takes. */
  readBody(): Promise<RequestBody>;
}

/** One event for a watcher; `line` is its wire form, a JSON line or a protobuf frame, made once for all watchers. */
export interface WatchLine {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object(): unknown;
  line(): Buffer;
}

/** Where a watch writes to. */
export interface WatchSink {
  /** False: the watcher is too slow and must be closed. */
  send(event: WatchLine): boolean;
  /** Calls `next` later: when others have had their turn, and the watcher has taken what was sent. */
  whenReady(next: () => void): void;
  end(): void;
}

/** A JSON document, in the two forms that transports want. */
export interface DocumentAnswer {
  readonly form: "document";
  readonly status: number;
  value(): unknown;
  json(): string;
  /** Of a long list: the same text piece by piece, made as it is asked for. */
  readonly texts?: () => Iterable<string>;
  readonly warnings?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType?: string;
}

export interface RawAnswer {
  readonly form: "raw";
  readonly status: number;
  readonly contentType: string;
  readonly bytes: string | Uint8Array;
  readonly warnings?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

export interface WatchAnswer {
  readonly form: "watch";
  readonly contentType: string;
  readonly warnings?: readonly string[];
  /** Begins to send; returns the way to stop. `sink.end` is called when the server ends the watch. */
  start(sink: WatchSink): () => void;
}

export type Answer = DocumentAnswer | RawAnswer | WatchAnswer;

/** A document that is not one of the store's. */
export function documentOf(
  value: unknown,
  options: {
    status?: number;
    warnings?: readonly string[];
    headers?: Record<string, string>;
    contentType?: string;
  } = {},
): DocumentAnswer {
  return { form: "document", status: 200, ...options, value: () => value, json: () => JSON.stringify(value) };
}

export function errorAnswer(error: StatusError): DocumentAnswer {
  const retryAfter = error.status.details?.retryAfterSeconds;
  return documentOf(error.status, {
    status: error.code,
    ...(retryAfter ? { headers: { "retry-after": String(retryAfter) } } : {}),
  });
}

/** Adds Warning texts to an answer. */
export function withWarnings<T extends Answer>(answer: T, warnings: readonly string[]): T {
  if (warnings.length === 0) return answer;
  return { ...answer, warnings: [...(answer.warnings ?? []), ...warnings] };
}
