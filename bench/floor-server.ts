// The floor of the API's figures: a server that does with a request what any durable one must, and nothing of Kubernetes. It takes
// HTTPS with client certificates, commits each body to the same database with the same durability, answers with it, and sends it
// to whoever has a GET open. `node bench-floor.mjs DATA_DIR CERTIFICATE`: that pair of the cluster's pki; prints its port.
import { mkdtempSync, readFileSync } from "node:fs";
import { createSecureServer, type Http2ServerResponse } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { openSqlite } from "../src/store/sqlite.ts";

const [dataDir = "", certificate = ""] = process.argv.slice(2);
const pki = (file: string) => readFileSync(join(dataDir, "pki", file));
const database = await openSqlite(join(mkdtempSync(join(dataDir, "floor-")), "floor.db"), { durable: true });
const watchers = new Set<Http2ServerResponse>();
let revision = 0;

const server = createSecureServer(
  {
    allowHTTP1: true,
    ca: pki("ca.crt"),
    cert: pki(`${certificate}.crt`),
    key: pki(`${certificate}.key`),
    requestCert: true,
    noDelay: true,
  } as Parameters<typeof createSecureServer>[0],
  (request, response) => {
    if (request.method === "GET") {
      watchers.add(response);
      response.once("close", () => watchers.delete(response));
      response.write("\n");
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      revision += 1;
      const json = Buffer.concat(chunks).toString();
      const key = `bodies/${revision}`;
      database.commit(new Map([[key, { key, revision, json }]]), revision);
      for (const watcher of watchers) watcher.write(`${json}\n`);
      // As a server may that tells watchers first.
      setImmediate(() => {
        database.sync?.();
        response.writeHead(201, { "content-type": "application/json" }).end(json);
      });
    });
  },
);
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
