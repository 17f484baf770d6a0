// The least a client can do, so that the server is what is measured: HTTPS, and no JSON is parsed.
import { readFileSync } from "node:fs";
import { Agent, request as httpsRequest } from "node:https";
import { join } from "node:path";

export interface RawClient {
  send(method: string, path: string, payload?: string): Promise<{ status: number; bytes: number }>;
  /** Opens an answer that does not end; resolves once its head has come, and calls `onLine` with each line as it comes. */
  follow(path: string, onLine: (line: string) => void): Promise<void>;
  close(): void;
}

/** As the admin of the cluster whose data directory it is; to `url`, an https URL, on at most `sockets` connections. */
export function createRawClient(url: string, dataDir: string, sockets: number): RawClient {
  const pki = (file: string) => readFileSync(join(dataDir, "pki", file));
  const agent = new Agent({
    keepAlive: true,
    maxSockets: sockets,
    ca: pki("ca.crt"),
    cert: pki("admin.crt"),
    key: pki("admin.key"),
  });
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
    follow: (path, onLine) =>
      new Promise((resolve, reject) => {
        const request = httpsRequest({ agent, hostname, port, path }, (response) => {
          let rest = "";
          response.on("data", (chunk: Buffer) => {
            const lines = (rest + chunk.toString()).split("\n");
            rest = lines.pop() ?? "";
            lines.forEach(onLine);
          });
          response.on("error", () => {});
          resolve();
        });
        request.on("error", reject);
        request.end();
      }),
    close: () => agent.destroy(),
  };
}
