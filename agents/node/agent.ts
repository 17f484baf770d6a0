// One node: wires client, network, containers, pods and registration together. Order matters at the start: the node's
// own server and its Node object come first, pods only once Services and Images are known (their containers' environment
// and programs depend on them).
import { mkdirSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { images } from "../../src/api/kinds/image.ts";
import { pods } from "../../src/api/kinds/pod.ts";
import { proxyWorkers } from "../../src/api/kinds/proxy-worker.ts";
import { services } from "../../src/api/kinds/service.ts";
import type { Clock } from "../../src/base/clock.ts";
import { dnsPlace } from "../../src/base/cluster-dns.ts";
import type { Log } from "../../src/base/log.ts";
import { timingOf } from "../../src/base/timing.ts";
import type { Client } from "../../src/client/client.ts";
import { createRecorder } from "../../src/client/recorder.ts";
import { startInformer } from "../../src/client/start-informer.ts";
import type { NodeAgentSettings } from "../../src/process/settings.ts";
import { startEmpty } from "./containers/process.ts";
import { createReferences } from "./containers/references.ts";
import { createSlots } from "./containers/slots.ts";
import { writeStandIns } from "./containers/system-files.ts";
import { createWarmPool } from "./containers/warm-pool.ts";
import type { NodeContext } from "./context.ts";
import { createNodeHost } from "./host.ts";
import { createPodNetwork } from "./pod/network.ts";
import { createPodRegistry, type PodRegistry } from "./pod/registry.ts";
import { keepLease } from "./registration/lease.ts";
import { nodeCapacity } from "./registration/node-object.ts";
import { readMachine, registerNode } from "./registration/register.ts";
import { startNodeServer } from "./streams/server.ts";

export interface NodeAgentOptions {
  readonly settings: NodeAgentSettings;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  /** dist/container.js */
  readonly containerProgram: string;
  /** dist/tools.js and dist/preload.js */
  readonly toolsProgram: string;
  readonly preload: string;
  /** The PATH that containers get. */
  readonly searchPath: string;
}

export interface NodeAgent {
  /** SIGKILL to every container, now and synchronously: the agent is about to exit. */
  killAll(): void;
  /** Ends the pods within `graceMs`, says that the node is shutting down, stops. */
  stop(graceMs: number, options?: { apiIsGone?: boolean }): Promise<void>;
}

/** Resolves when the Node is Ready. */
export async function startNodeAgent(options: NodeAgentOptions): Promise<NodeAgent> {
  const { settings, client, clock, log } = options;
  const directory = path.join(settings.dataDir, "nodes", settings.node);
  mkdirSync(path.join(directory, "pods"), { recursive: true });
  const abort = new AbortController();
  let registry: PodRegistry | undefined;
  const machine = readMachine(directory);
  const context = createContext(options, {
    directory,
    allocatable: nodeCapacity(machine),
    wake: (uid) => registry?.wake(uid),
  });
  const podInformer = startInformer(client, pods, {
    fieldSelector: `spec.nodeName=${settings.node}`,
    log,
    clock,
  });
  const noPods: PodRegistry = {
    find: () => undefined,
    records: () => [],
    wake: () => {},
    wakeAll: () => {},
    shutdown: async () => {},
  };
  const host = createNodeHost(context, () => registry ?? noPods);
  const server = await startNodeServer({ settings, host, log });
  const registration = await registerNode(context, { machine, port: server.port, signal: abort.signal });
  const lease = keepLease(context, registration.uid, abort.signal);
  void Promise.all([context.services.synced, context.images.synced, podInformer.synced]).then(() => {
    if (abort.signal.aborted) return;
    registry = createPodRegistry(context, podInformer);
    // An image that could not be run may have become one that can.
    context.images.onChange(() => registry?.wakeAll());
  });

  return {
    killAll() {
      for (const { runs } of registry?.records() ?? [])
        for (const run of [...runs.values()].flat()) run.process.signal("SIGKILL");
      context.pool.stop();
    },
    async stop(graceMs, { apiIsGone = false } = {}) {
      // A clean stop must not wait long for an API server that is gone.
      const tell = (what: () => Promise<unknown>) =>
        apiIsGone
          ? undefined
          : Promise.race([what().catch(() => {}), clock.sleep(STATUS_LIMIT_MS, told.signal)]);
      const told = new AbortController();
      await tell(() => registration.shutDown());
      abort.abort();
      await registry?.shutdown(graceMs);
      context.pool.stop();
      await tell(() => context.recorder.flush());
      told.abort();
      await Promise.all([
        podInformer.stop(),
        context.services.stop(),
        context.proxyWorkers.stop(),
        context.images.stop(),
        context.references.stop(),
        server.stop(),
        lease,
        registration.done,
      ]);
    },
  };
}

const STATUS_LIMIT_MS = 1_000;

interface Made {
  readonly directory: string;
  readonly allocatable: Readonly<Record<string, string>>;
  wake(uid: string): void;
}

function createContext(
  { settings, client, clock, log, containerProgram, toolsProgram, preload, searchPath }: NodeAgentOptions,
  { directory, allocatable, wake }: Made,
): NodeContext {
  const spawner = { prefix: settings.containerPrefix, containerProgram };
  const env = {
    PATH: searchPath,
    KUBEMU_CLUSTER: settings.dataDir,
    KUBEMU_NODE: settings.node,
  };
  const standIns = { folder: path.join(directory, "bin"), preload };
  writeStandIns(standIns.folder, toolsProgram);
  return {
    settings,
    searchPath,
    dns: dnsPlace(settings),
    standIns,
    client,
    clock,
    timing: timingOf(settings.profile),
    log,
    recorder: createRecorder(client, { component: "kubelet", host: settings.node, clock }),
    network: createPodNetwork({ ...settings, clock }),
    spawner,
    pool: createWarmPool({
      size: settings.warmPool,
      afterMs: settings.startTakesMs,
      start: () => startEmpty(spawner, env),
      clock,
      log,
    }),
    // Each start is a process that wants a core for a moment; more at once only makes all of them late.
    slots: createSlots(Math.max(os.availableParallelism(), 2) + 1),
    images: startInformer(client, images, { log, clock }),
    services: startInformer(client, services, { log, clock }),
    proxyWorkers: startInformer(client, proxyWorkers, { log, clock }),
    references: createReferences({ client, clock, log, onChange: wake }),
    allocatable,
    directory,
    pulled: new Map(),
  };
}
