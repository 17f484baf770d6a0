// The control plane's process: store, API server, scheduler, controllers and watched folders, wired together. The only file that knows every
// part. Parts inside this process speak the same API as those outside, only without sockets in between.
import { mkdirSync, readFileSync } from "node:fs";
import net, { type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { KubeObject } from "./api/object.ts";
import { builtinKinds, createRegistry } from "./api/registry.ts";
import { systemClock } from "./base/clock.ts";
import { dnsPlace } from "./base/cluster-dns.ts";
import { createLineLog } from "./base/line-log.ts";
import { timingOf } from "./base/timing.ts";
import { createClient } from "./client/create-client.ts";
import { createInformers } from "./client/informers.ts";
import { createRecorder } from "./client/recorder.ts";
import { startCronJobController } from "./controllers/cron-job/controller.ts";
import { startDaemonSetController } from "./controllers/daemon-set/controller.ts";
import { startDeploymentController } from "./controllers/deployment/controller.ts";
import { startDisruptionController } from "./controllers/disruption/controller.ts";
import { startEndpointSliceController } from "./controllers/endpoint-slice/controller.ts";
import { startEndpointsController } from "./controllers/endpoints/controller.ts";
import { startEphemeralVolumeController } from "./controllers/ephemeral-volume/controller.ts";
import { startGarbageCollector } from "./controllers/garbage-collector/controller.ts";
import { startHorizontalPodAutoscaler } from "./controllers/horizontal-pod-autoscaler/controller.ts";
import { startIngressController } from "./controllers/ingress/controller.ts";
import { startJobController } from "./controllers/job/controller.ts";
import { startNamespaceController } from "./controllers/namespace/controller.ts";
import { startNodeLifecycleController } from "./controllers/node-lifecycle/controller.ts";
import { startPersistentVolumeController } from "./controllers/persistent-volume/controller.ts";
import { startPodGarbageCollector } from "./controllers/pod-garbage-collector/controller.ts";
import {
  startReplicaSetController,
  startReplicationControllerController,
} from "./controllers/replica-set/controller.ts";
import { startResourceQuotaController } from "./controllers/resource-quota/controller.ts";
import type { ControllerContext } from "./controllers/runtime/context.ts";
import { startServiceAccountController } from "./controllers/service-account/controller.ts";
import { startServiceAddressController } from "./controllers/service-address/controller.ts";
import { startStatefulSetController } from "./controllers/stateful-set/controller.ts";
import { startTtlAfterFinished } from "./controllers/ttl-after-finished/controller.ts";
import { startVolumeProtectionController } from "./controllers/volume-protection/controller.ts";
import { startVolumeProvisioner } from "./controllers/volume-provisioner/controller.ts";
import { startFolder } from "./folder/start-folder.ts";
import { createComponentTokens } from "./pki/component-tokens.ts";
import {
  type ControlPlaneSettings,
  INHERITED_FD,
  isServeMessage,
  parseSettings,
  type ReadyMessage,
} from "./process/settings.ts";
import { startScheduler } from "./scheduler/scheduler.ts";
import { type ApiServer, startApiServer } from "./server/api-server.ts";
import { openStore } from "./store/open-store.ts";

const log = createLineLog({ part: "control-plane" });
const clock = systemClock;
const tell = (message: object) => {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
};

/** A fault leaves this process in a state that nobody knows: it ends, and the supervisor starts it again. */
function endFor(fault: unknown, what: string): void {
  log.error({ error: fault instanceof Error ? fault.stack : String(fault) }, what);
  process.exit(70);
}
process.on("uncaughtException", (error) => endFor(error, "uncaught fault"));
process.on("unhandledRejection", (reason) => endFor(reason, "unhandled rejection"));

/**
 * What the supervisor says once it has all that a control plane needs, with the API's socket, which it keeps open while this process is replaced.
 * Without a supervisor: the arguments, and a port of our own.
 */
async function hearSettings(): Promise<{ settings: ControlPlaneSettings; handle?: unknown }> {
  if (!process.send) return { settings: parseSettings<ControlPlaneSettings>(process.argv) };
  return new Promise((resolve) => {
    process.on("message", (message, handle) => {
      if (isServeMessage(message)) resolve({ settings: message.settings, handle });
    });
  });
}

/** Listens long before the server can answer: who connects meanwhile waits instead of being refused. */
async function listenEarly(on: object): Promise<EarlyServer> {
  const early: Socket[] = [];
  const server = net.createServer({ noDelay: true });
  // Until the API server adds its own listener.
  server.on("connection", (socket) => server.listenerCount("connection") === 1 && early.push(socket));
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(on, resolve));
  return {
    server,
    letIn() {
      for (const socket of early) server.emit("connection", socket);
    },
  };
}

interface EarlyServer {
  readonly server: Server;
  /** Lets in those who came before the server was ready. */
  letIn(): void;
}

function readPki(settings: ControlPlaneSettings) {
  const read = (file: string) => readFileSync(join(settings.dataDir, "pki", file), "utf8");
  return {
    ca: read("ca.crt"),
    cert: read(`server-${settings.slot}.crt`),
    key: read(`server-${settings.slot}.key`),
    kubeletClientCert: read("kubelet-client.crt"),
    kubeletClientKey: read("kubelet-client.key"),
    serviceAccountKey: read("service-account.key"),
    componentTokensKey: read("component-tokens.key"),
  };
}

/** What controllers and folders work with. */
interface Core extends Pick<ControllerContext, "timing" | "addresses"> {
  readonly settings: ControlPlaneSettings;
  /** The certificate authority's certificate. */
  readonly ca: string;
  readonly server: ApiServer;
  readonly registry: ReturnType<typeof createRegistry>;
}

function startControllers({ settings, server, registry, timing, addresses, ca }: Core) {
  const client = createClient(server.transport("system:kube-controller-manager", ["system:masters"]), {
    userAgent: "kube-controller-manager",
  });
  const informers = createInformers(client, { log, clock });
  const context: ControllerContext = { client, informers, log, clock, timing, addresses };
  const resources = () => registry.stored().map(({ resource }) => resource);
  const running = [
    startScheduler(context, { startingNodes: settings.startingNodes }),
    startDeploymentController(context),
    startReplicaSetController(context),
    startReplicationControllerController(context),
    startJobController(context),
    startTtlAfterFinished(context),
    startStatefulSetController(context),
    startDaemonSetController(context),
    startCronJobController(context),
    startHorizontalPodAutoscaler(context, { storedAs: registry.storedAs }),
    startEndpointsController(context),
    startEndpointSliceController(context),
    startServiceAddressController(context),
    startIngressController(context),
    startNodeLifecycleController(context),
    startPodGarbageCollector(context),
    startPersistentVolumeController(context),
    startVolumeProtectionController(context),
    startVolumeProvisioner(context, {
      directory: join(settings.dataDir, settings.inMemory ? "volumes-in-memory" : "volumes"),
    }),
    startEphemeralVolumeController(context),
    startServiceAccountController(context, { ca }),
    startDisruptionController(context, { storedAs: registry.storedAs }),
    startResourceQuotaController(context, { resources }),
    startNamespaceController(context, { resources }),
    startGarbageCollector(context, { resources, storedAs: registry.storedAs }),
  ];
  return {
    async stop() {
      await Promise.all(running.map((controller) => controller.stop()));
      await informers.stop();
    },
  };
}

async function watchFolders({ settings, server, registry }: Core) {
  const client = createClient(server.transport("kubemu:folder", ["system:masters"]), {
    userAgent: "kubemu-folder",
  });
  const recorder = createRecorder(client, { component: "kubemu-folder", clock });
  const watches = await Promise.all(
    settings.folders.map(async (folder) => {
      const watch = await startFolder({
        folder,
        client,
        registry,
        recorder,
        log,
        clock,
        report: (line) => tell({ line }),
      });
      void watch.firstApply.then(({ applied, errors }) => tell({ folders: [{ folder, applied, errors }] }));
      return watch;
    }),
  );
  return { stop: () => Promise.all(watches.map((watch) => watch.stop())) };
}

/** Starts every part in the order in which they need one another. */
async function startControlPlane(): Promise<void> {
  const { settings, handle } = await hearSettings();
  const timing = timingOf(settings.profile);
  const { slot, singleAddress, lowestPort } = settings;
  const addresses = { slot, singleAddress, lowestPort };
  const storeFolder = join(settings.dataDir, settings.inMemory ? "store-in-memory" : "store");
  mkdirSync(storeFolder, { recursive: true, mode: 0o700 });
  const [store, socket, local] = await Promise.all([
    openStore<KubeObject>({
      path: join(storeFolder, "objects.db"),
      durable: !settings.inMemory,
      onDiskLost: (error) => endFor(error, "the disk did not take what was written"),
    }),
    handle === undefined ? undefined : listenEarly({ _handle: handle }),
    process.send && listenEarly({ fd: INHERITED_FD }),
  ]);
  const pki = readPki(settings);
  const registry = createRegistry(builtinKinds);
  const server = await startApiServer({
    store,
    registry,
    pki,
    listen: socket ?? { port: settings.apiPort },
    local: local && { server: local.server, tokens: createComponentTokens(pki.componentTokensKey) },
    addresses,
    dns: dnsPlace(settings),
    timing,
    log,
    clock,
  });
  local?.letIn();
  socket?.letIn();
  const core: Core = { settings, timing, addresses, ca: pki.ca, server, registry };
  const controllers = startControllers(core);
  const ready: ReadyMessage = { ready: true, apiPort: server.port };
  tell(ready);
  const folders = await watchFolders(core);

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await folders.stop();
    await controllers.stop();
    await server.stop();
    await store.close();
    process.exit(0);
  };
  process.on("SIGTERM", () => void stop());
  // Ctrl-C at a terminal goes to everyone; the supervisor says when to stop.
  process.on("SIGINT", () => {});
  process.on("disconnect", () => void stop());
}

void startControlPlane();
