// Loaded when there is something to tell the API or to ask it.
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
