// What a drill needs of the cluster it runs on. The command line makes one; so may a benchmark.
import type { KubeObject } from "../api/object.ts";
import type { Resource } from "../api/resource.ts";
import { StatusError } from "../api/status-error.ts";
import { systemClock } from "../base/clock.ts";
import type { Client } from "../client/client.ts";
import type { SupervisorCommand } from "../supervisor/command-socket.ts";
import type { ClusterStatus } from "../supervisor/state.ts";

export interface DrillCluster {
  readonly name: string;
  readonly dataDir: string;
  /** The built dist/traffic.js. */
  readonly trafficProgram: string;
  readonly client: Client;
  /** By the word that a user types for it: `deployment`, `deploy`, `deployments.apps`. Throws where the server has no such type. */
  typeOf(word: string): Resource;
  byKind(apiVersion: string, kind: string): Resource;
  command(wanted: SupervisorCommand): Promise<unknown>;
  /** The objects of a file or folder. Throws with file and line. */
  readManifests(path: string): readonly KubeObject[];
}

export const statusOf = async ({ command }: DrillCluster): Promise<ClusterStatus> =>
  (await command({ command: "status" })) as ClusterStatus;

const PAUSE_MS = 20;
const PATIENCE_MS = 30_000;
const WORTH_ANOTHER_TRY: readonly number[] = [409, 429, 500, 502, 503, 504];

/**
 * Does what a drill has to do although it has just broken something: a control plane that was killed loses what was under way. `act` must bear
 * being done twice.
 */
export async function insist<T>(act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const deadline = systemClock.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const isFinal = error instanceof StatusError && !WORTH_ANOTHER_TRY.includes(error.status.code ?? 0);
      if (isFinal || signal?.aborted || systemClock.now() > deadline) throw error;
      await systemClock.sleep(PAUSE_MS, signal);
    }
  }
}
