// Loaded only when the programs have been started: Node's TLS takes as long to load as the supervisor's own code.
import type { Client } from "../client/client.ts";
import { createClient } from "../client/create-client.ts";
import { readCredentials } from "../client/credentials.ts";
import { createHttpsTransport } from "../client/http-transport.ts";

/** The supervisor's client of an API server that may still be starting. */
export function connect(apiServer: string, dataDir: string): Client {
  const credentials = readCredentials(dataDir, "supervisor");
  const transport = createHttpsTransport({ server: apiServer, ...credentials, awaitServer: true });
  return createClient(transport, { userAgent: "kubemu-supervisor" });
}
