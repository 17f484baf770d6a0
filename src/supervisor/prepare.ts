// What a cluster takes: its data directory first; then, while the control plane's process boots, a slot of addresses, the API's socket, and what
// it must know of the machine. What an earlier crash left running is ended before that.
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { DNS_PORT, UNPRIVILEGED_DNS_PORT } from "../base/cluster-dns.ts";
import { probeDeathSignal } from "../process/death-signal.ts";
import { type HeldPath, type HeldSocket, holdPath, holdSocket } from "../process/shared-handles.ts";
import { sweepMarked } from "../process/sweep.ts";
import { anySlot, claimSlot, findLowestPort, hasManyAddresses } from "./addresses.ts";
import { apiSocketPath, socketPath } from "./command-socket.ts";
import { chooseCutNodes } from "./cut-nodes.ts";
import { checkDataDir, forgetMemory } from "./data-dir.ts";
import { claimDataDir } from "./lock.ts";
import { chooseNodes } from "./nodes.ts";
import { ownIdentity } from "./own-identity.ts";
import { type ChosenMode, chooseProxyMode } from "./proxy-mode.ts";
import type { SupervisorSettings } from "./settings.ts";
import { type ClusterFile, DATA_VERSION, readCluster, writeCluster, writeSupervisor } from "./state.ts";

/** What is taken first, in no time. */
export interface Place {
  /** Absolute, without symbolic links: the marker of every process of the cluster. */
  readonly dataDir: string;
  /** The API's Unix socket, held here while control planes come and go. */
  readonly localSocket: HeldPath;
}

export interface Ground extends Place {
  readonly cluster: ClusterFile;
  readonly lowestPort: number;
  readonly dnsPort: number;
  readonly proxy: ChosenMode;
  /** Bound to 127.0.0.1:apiPort; held here likewise. */
  readonly socket: HeldSocket;
  /** What a container's command begins with (death-signal.ts). */
  readonly containerPrefix: readonly string[];
  /** Gives the addresses back. The data directory is released last, by whoever started. */
  release(): void;
}

/** Throws one line that says who has the data directory. */
export function takePlace(settings: SupervisorSettings): Place {
  mkdirSync(join(settings.dataDir, "logs"), { recursive: true, mode: 0o700 });
  const dataDir = realpathSync(settings.dataDir);
  checkDataDir(dataDir);
  const self = ownIdentity();
  claimDataDir(dataDir, self);
  writeSupervisor(dataDir, { ...self, phase: "Starting", apiServer: "", socket: socketPath(dataDir) });
  return { dataDir, localSocket: holdPath(apiSocketPath(dataDir)) };
}

/** Throws one line that names what is taken. `own` is the process that may live already: it must not touch the data before this resolves. */
export async function takeGround(settings: SupervisorSettings, place: Place, own: number): Promise<Ground> {
  const { dataDir } = place;
  const deathSignal = probeDeathSignal();
  await sweepMarked({ KUBEMU_CLUSTER: dataDir }, new Set([own]));
  forgetMemory(dataDir);
  const before = readCluster(dataDir);
  const singleAddress = settings.singleAddress ?? (before?.singleAddress || !hasManyAddresses());
  // First: it may have no way to go on, and takes nothing.
  const proxy = await chooseProxyMode(settings.proxyMode, { singleAddress });
  const lowestPort = findLowestPort();
  const [slot, containerPrefix] = await Promise.all([
    singleAddress ? anySlot(before?.slot) : claimSlot(before?.slot),
    deathSignal,
  ]);
  try {
    const socket = holdApiSocket(settings.apiPort, before?.apiPort);
    const nodes = chooseNodes(before?.nodes ?? [], settings.nodes);
    const cutNodes = chooseCutNodes(before, nodes);
    const cluster: ClusterFile = {
      version: DATA_VERSION,
      name: settings.name,
      slot: slot.number,
      apiPort: socket.port,
      nodes,
      ...(cutNodes.length > 0 ? { cutNodes } : {}),
      profile: settings.profile ?? before?.profile ?? "fast",
      singleAddress,
    };
    writeCluster(dataDir, cluster);
    const dnsPort = chooseDnsPort(singleAddress, lowestPort);
    const release = slot.release;
    return { ...place, cluster, lowestPort, dnsPort, proxy, socket, containerPrefix, release };
  } catch (error) {
    slot.release();
    throw error;
  }
}

/** Where every cluster shares one address each needs a port of its own; it is found by binding it for a moment. */
function chooseDnsPort(singleAddress: boolean, lowestPort: number): number {
  if (!singleAddress) return lowestPort <= DNS_PORT ? DNS_PORT : UNPRIVILEGED_DNS_PORT;
  const socket = holdSocket("127.0.0.1", 0);
  socket.close();
  return socket.port;
}

function holdApiSocket(asked: number | undefined, last: number | undefined): HeldSocket {
  const port = asked ?? last ?? 0;
  try {
    return holdSocket("127.0.0.1", port);
  } catch (error) {
    // The port it had last is a convenience; the one that was asked for is not.
    if (asked === undefined) return holdSocket("127.0.0.1", 0);
    throw new Error(
      `port ${port} of 127.0.0.1 is taken or may not be used (${(error as NodeJS.ErrnoException).code}); choose another --api-port`,
      { cause: error },
    );
  }
}
