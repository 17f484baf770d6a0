// The least a client can do, so that the server is what is measured: HTTPS, and no JSON is parsed.
import { connect } from "node:http2";
import { Agent, request as httpsRequest } from "node:https";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { readCredentials } from "../src/client/credentials.ts";
import { lineSplitter } from "../src/client/http-transport.ts";

export interface RawClient {
  send(method: string, path: string, payload?: string): Promise<{ status: number; bytes: number }>;
  close(): void;
}

export interface Follower {
  /** Opens an answer that does not end; resolves once its head has come, and calls `onLine` with each line as it comes. */
  follow(path: string, onLine: (line: string) => void): Promise<void>;
  close(): void;
}

/** As the admin of the cluster whose data directory it is; to `url`, an https URL, on at most `sockets` connections. */
export function createRawClient(url: string, dataDir: string, sockets: number): RawClient {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets, ...readCredentials(dataDir, "admin") });
  const { hostname, port } = new URL(url);
  return {
    send: (method, path, payload) =>
      new Promise((resolve, reject) => {
        const headers = payload
          ? { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }
          : {};
        const request = httpsRequest({ agent, hostname, port, method, path, headers }, (response) => {
          let bytes = 0;
          response.on("data", (chunk: Buffer) => {
            bytes += chunk.length;
          });
          response.on("end", () => resolve({ status: response.statusCode ?? 0, bytes }));
        });
        request.on("error", reject);
        request.end(payload);
      }),
    close: () => agent.destroy(),
  };
}

const READ_BYTES = 64 * 1024;

/**
 * A connection for each answer. Fifty of them are read by one process, on the server's own cores: no streams and no HTTP parser in between, so
 * that what is measured is when the server's bytes are there. `onLine` gets the lines of chunked framing as well.
 */
export function createLineFollower(url: string, dataDir: string): Follower {
  const { hostname, port } = new URL(url);
  const credentials = readCredentials(dataDir, "admin");
  const sockets: TLSSocket[] = [];
  return {
    follow: (path, onLine) =>
      new Promise((resolve, reject) => {
        const feed = lineSplitter((line) => {
          if (line.startsWith("HTTP/1.1 200")) resolve();
          else onLine(line);
        });
        const onread = {
          buffer: Buffer.allocUnsafe(READ_BYTES),
          callback: (bytes: number, buffer: Uint8Array): boolean => {
            feed(Buffer.from(buffer.subarray(0, bytes)));
            return true;
          },
        };
        // Node documents `onread` for TLS as well; its types do not.
        const options = { host: hostname, port: Number(port), ...credentials, onread };
        const socket = connectTls(options as ConnectionOptions);
        sockets.push(socket);
        socket.on("error", reject);
        socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
      }),
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

// Go's, which every client library of Kubernetes in Go has.
const GO_STREAM_WINDOW = 4 * 1024 * 1024;
const GO_SESSION_WINDOW = 1024 * 1024 * 1024;

/** Every answer over one connection, HTTP/2, as one program's informers have theirs. */
export function createHttp2Follower(url: string, dataDir: string): Follower {
  const session = connect(url, {
    ...readCredentials(dataDir, "admin"),
    settings: { initialWindowSize: GO_STREAM_WINDOW },
  });
  session.on("connect", () => session.setLocalWindowSize(GO_SESSION_WINDOW));
  return {
    follow: (path, onLine) =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ":path": path });
        stream.on("response", () => resolve());
        stream.on("data", lineSplitter(onLine)).on("error", reject);
      }),
    close: () => session.destroy(),
  };
}
