// What the verbs that look like kubectl's work with: a client, the types that the server serves, and the namespace that is meant.

import { StatusError } from "../api/status-error.ts";
import type { Client } from "../client/client.ts";
import { readCredentials } from "../client/credentials.ts";
import { discover } from "../client/discovery.ts";
import type { Streams } from "../client/streams.ts";
import type { Invocation } from "./command.ts";
import { runningSupervisor, withClient } from "./connect.ts";
import { createResourceTypes, type ResourceTypes } from "./resource-types.ts";

export interface Session {
  readonly client: Client;
  readonly types: ResourceTypes;
  /** Where objects are that no namespace was given for. */
  readonly namespace: string;
  /** With `-A`. */
  readonly allNamespaces: boolean;
  /** Byte streams, loaded on first use. */
  streams(): Promise<Streams>;
}

/** Runs a verb; what the server refuses is thrown in kubectl's words. */
export async function withSession(
  invocation: Invocation,
  use: (session: Session) => Promise<number>,
): Promise<number> {
  const { options, dataDir } = invocation;
  try {
    return await withClient(invocation, async (client) =>
      use({
        client,
        types: createResourceTypes(await discover(client.transport)),
        namespace: typeof options["namespace"] === "string" ? options["namespace"] : "default",
        allNamespaces: options["allNamespaces"] === true,
        async streams() {
          const { createStreams } = await import("../client/streams.ts");
          const { apiServer } = runningSupervisor(invocation);
          return createStreams({ server: apiServer, ...readCredentials(dataDir, "admin") });
        },
      }),
    );
  } catch (error) {
    throw error instanceof StatusError ? new Error(inWords(error), { cause: error }) : error;
  }
}

/** `Error from server (NotFound): pods "x" not found`, `The Deployment "web" is invalid: …`. */
export function inWords(error: unknown): string {
  if (!(error instanceof StatusError)) return error instanceof Error ? error.message : String(error);
  if (error.reason === "Invalid") {
    const causes = error.status.details?.causes ?? [];
    const { kind = "", name = "" } = error.status.details ?? {};
    const texts = causes.map(({ field, message }) => `${field}: ${message}`);
    if (texts.length > 0) return `The ${kind} ${JSON.stringify(name)} is invalid: ${texts.join("; ")}`;
  }
  return `Error from server${error.reason ? ` (${error.reason})` : ""}: ${error.message}`;
}

export const say = (line: string): void => void process.stdout.write(`${line}\n`);
/** Beside the output: hints, warnings, failures of one object among several. */
export const note = (line: string): void => void process.stderr.write(`${line}\n`);
