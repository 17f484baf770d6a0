// How a client reaches an API server: over HTTP (http-transport.ts), or, for what runs inside the control plane's
// process, straight into the server's request handler (main.ts wires that one). Both speak the same API.

export interface TransportRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Without query: `/api/v1/namespaces/default/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** The media type asked for; default `application/json`. In-process it has no effect. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

export interface TransportResponse {
  readonly status: number;
  /** The parsed JSON. Objects must be treated as read-only: in-process they are the server's own, frozen. */
  readonly body: unknown;
  /** The texts of the `Warning` headers. */
  readonly warnings: readonly string[];
}

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  /** The object, or for ERROR a Status. */
  readonly object: unknown;
}

export interface Transport {
  /** A request costs more than a call: informers then get their list as the beginning of their watch. */
  readonly isRemote?: boolean;
  /** Rejects only when no answer was had (connection lost, aborted); a failure Status is an answer. */
  request(request: TransportRequest): Promise<TransportResponse>;
  /**
   * Opens a watch (`watch=true` is added) and calls `onEvent` for each event, in order. Resolves when the server ends the
   * stream; rejects with a StatusError when the server refuses it (410 …) and with another error when the connection is lost.
   * After `signal` aborts no event is delivered, and it resolves.
   */
  watch(request: TransportRequest, onEvent: (event: WatchEvent) => void): Promise<void>;
  close(): void;
}
