// Loaded when there is something to tell the API or to ask it.
import type { Client } from "../client/client.ts";
import { createClient } from "../client/create-client.ts";
import { readLocalAccess } from "../client/credentials.ts";
import { createLocalTransport } from "../client/local-transport.ts";
import { apiSocketPath } from "./command-socket.ts";

/** The supervisor's client of an API server that may still be starting. */
export function connect(dataDir: string): Client {
  const access = readLocalAccess(dataDir, "supervisor", apiSocketPath(dataDir));
  const transport = createLocalTransport({ ...access, awaitServer: true });
  return createClient(transport, { userAgent: "kubemu-supervisor" });
}
