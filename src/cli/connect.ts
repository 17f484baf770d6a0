// How a command reaches its cluster: the supervisor's command socket, or the API's socket with the admin's token.
import type { Client } from "../client/client.ts";
import { createClient } from "../client/create-client.ts";
import { readLocalAccess } from "../client/credentials.ts";
import { createLocalTransport } from "../client/local-transport.ts";
import type { Transport } from "../client/transport.ts";
import { isAlive } from "../process/identity.ts";
import { apiSocketPath, type SupervisorCommand, sendCommand } from "../supervisor/command-socket.ts";
import { isCopyOfRunning, onlyACopy } from "../supervisor/lock.ts";
import { readSupervisor, type SupervisorFile } from "../supervisor/state.ts";
import { type Invocation, UsageError } from "./command.ts";

/** The running supervisor of the cluster; throws one line when there is none. */
export function runningSupervisor({ name, dataDir }: Invocation): SupervisorFile {
  const file = readSupervisor(dataDir);
  if (isCopyOfRunning(dataDir)) throw onlyACopy(dataDir);
  if (!file || !isAlive(file))
    throw new Error(
      `cluster ${name} is not running (data directory ${dataDir}); start it with \`kubemu up\``,
    );
  return file;
}

/** The same, once its API can be used; throws one line while it starts or stops. */
function usableSupervisor(invocation: Invocation): SupervisorFile {
  const file = runningSupervisor(invocation);
  if (file.phase === "Running") return file;
  throw new Error(`cluster ${invocation.name} is ${file.phase.toLowerCase()}; try again in a moment`);
}

/** Sends a command and returns its result; what the supervisor refuses is thrown. */
export async function command<T>(invocation: Invocation, wanted: SupervisorCommand): Promise<T> {
  const { socket } = usableSupervisor(invocation);
  const reply = await sendCommand(socket, wanted);
  if (reply.ok) return reply.result as T;
  throw reply.usage ? new UsageError(reply.message) : new Error(reply.message);
}

/** As the admin, over the API's own socket. */
export function connectLocally(dataDir: string): Transport {
  return createLocalTransport(readLocalAccess(dataDir, "admin", apiSocketPath(dataDir)));
}

/** Runs `use` with a client of the cluster's API and closes it. */
export async function withClient<T>(invocation: Invocation, use: (client: Client) => Promise<T>): Promise<T> {
  usableSupervisor(invocation);
  const transport = connectLocally(invocation.dataDir);
  try {
    return await use(createClient(transport, { userAgent: "kubemu" }));
  } finally {
    transport.close();
  }
}

/** Prints `value` as JSON where `-o json` was given, else as `text` writes it. */
export function print<T>({ options }: Invocation, value: T, text: (value: T) => string): void {
  process.stdout.write(options["output"] === "json" ? `${JSON.stringify(value, null, 2)}\n` : text(value));
}
