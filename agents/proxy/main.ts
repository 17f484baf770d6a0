// The service proxy's process: a worker of the supervisor, or (without an IPC channel) a program of its own.
import { systemClock } from "../../src/base/clock.ts";
import { dnsPlace } from "../../src/base/cluster-dns.ts";
import { createLineLog } from "../../src/base/line-log.ts";
import { createClient } from "../../src/client/create-client.ts";
import { readLocalAccess } from "../../src/client/credentials.ts";
import { createLocalTransport } from "../../src/client/local-transport.ts";
import { identityOf, signalProcess } from "../../src/process/identity.ts";
import { type ProxySettings, parseSettings, type ReadyMessage } from "../../src/process/settings.ts";
import { findMarked } from "../../src/process/sweep.ts";
import { createKernelPaths } from "./nftables/kernel-paths.ts";
import { startNft } from "./nftables/session.ts";
import { ownSockets, type SocketSource, sharedSockets } from "./open-socket.ts";
import { startProxy } from "./proxy.ts";

const SECOND_SWEEP_MS = 200;

const settings = parseSettings<ProxySettings>(process.argv);

const socketSource = (): SocketSource => {
  if (!process.send) return ownSockets;
  return sharedSockets({
    send: (message) => process.connected && process.send?.(message),
    onMessage: (listener) => process.on("message", listener),
  });
};

const transport = createLocalTransport({
  ...readLocalAccess(settings.dataDir, "proxy", settings.apiSocket),
  awaitServer: true,
});
const log = createLineLog({ worker: settings.worker });
const ownTable = () => {
  // Each worker has a table of its own: with one of them gone the other's is still there.
  const table = `kubemu-${settings.slot}-${settings.worker}`;
  const startSession = () => startNft({ folder: settings.dataDir, file: `nftables-${settings.worker}` });
  return createKernelPaths({ table, startSession, clock: systemClock, log });
};
const proxy = startProxy({
  settings: { ...settings, acknowledge: settings.profile === "fast" },
  client: createClient(transport, { userAgent: "kube-proxy/kubemu" }),
  sockets: socketSource(),
  clock: systemClock,
  log,
  dns: dnsPlace(settings),
  kernel: settings.proxyMode === "nftables" ? ownTable() : undefined,
});

// Without the supervisor there is no cluster: agents end their own containers, and what cannot hear (a paused node) is killed from here.
// Only what is there at this moment: a supervisor that starts next has the same mark. The second worker is there in case the first is gone.
process.on("disconnect", () => {
  const left = findMarked({ KUBEMU_CLUSTER: settings.dataDir }).flatMap((pid) => identityOf(pid) ?? []);
  setTimeout(() => {
    for (const each of left) signalProcess(each, "SIGKILL");
    process.exit(0);
  }, settings.worker * SECOND_SWEEP_MS);
});
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, async () => {
    await proxy.stop();
    transport.close();
    process.exit(0);
  });
}

void proxy.ready.then(() => {
  process.send?.({ ready: true } satisfies ReadyMessage);
});
