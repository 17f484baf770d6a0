// A cluster's life: take its data directory and start the control plane, which loads while the rest is taken; then agents and proxy side by side;
// keep them, and at the end leave nothing behind. Order matters at the end: the control plane goes first, so that it does not record the others'
// going as failures.
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Client } from "../client/client.ts";
import { ensurePki } from "../pki/files.ts";
import { createSharedHandles, type SharedHandles } from "../process/shared-handles.ts";
import { sweepMarked } from "../process/sweep.ts";
import { awaitFolders } from "./await-folders.ts";
import { removeCutNodes } from "./cut-nodes.ts";
import { forgetMemory, unusable } from "./data-dir.ts";
import { type KeptProgram, keepRunning } from "./keep-running.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { createNodeAgents, type NodeAgents } from "./node-agents.ts";
import { type Ground, type Place, takeGround, takePlace } from "./prepare.ts";
import { createPrograms, type Orders, startControlPlane, tellControlPlane } from "./programs.ts";
import type { ChosenMode } from "./proxy-mode.ts";
import type { SupervisorSettings } from "./settings.ts";
import { type ClusterFile, type FolderApplied, type FolderLine, writeCluster } from "./state.ts";

const STOP_GRACE_MS = 10_000;
// What is for throughput, or for the first fault, must not slow the start of the first pods.
const LATER_MS = 1_500;
// A cluster on a machine that is busy with a hundred other things still starts within this; one that does not never will.
const LONGEST_START_MS = 90_000;

export interface SupervisorOptions {
  readonly settings: SupervisorSettings;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly clock: Clock;
  /** Lines for whoever waits for the start. */
  readonly progress: (line: string) => void;
  readonly onFolder: (report: FolderApplied) => void;
  /** A folder's line for the console, also after the start. */
  readonly onLine: (line: FolderLine) => void;
  /** Cuts the start off. */
  readonly signal: AbortSignal;
}

export interface Supervisor {
  readonly cluster: ClusterFile;
  readonly dataDir: string;
  readonly apiServer: string;
  readonly kubeconfig: string;
  readonly agents: NodeAgents;
  client(): Promise<Client>;
  readonly proxyMode: ChosenMode;
  controlPlanePid(): number;
  proxyPids(): number[];
  /** Remembers the nodes in cluster.json after one was added or removed. */
  saveNodes(): void;
  stop(): Promise<void>;
}

/** What stop has to end; filled as the start goes on. */
interface Parts {
  readonly place: Place;
  readonly inMemory: boolean;
  readonly handles: SharedHandles;
  readonly proxies: KeptProgram[];
  controlPlane?: KeptProgram;
  ground?: Ground;
  agents?: NodeAgents;
  client?: Promise<Client>;
  cancelLater?: () => void;
}

/** Starts everything and resolves once the nodes are Ready and every folder has been applied; on failure all is ended again. */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const { settings } = options;
  let parts: Parts | undefined;
  try {
    const place = takePlace(settings);
    parts = { place, inMemory: settings.inMemory, handles: createSharedHandles(), proxies: [] };
    return await startParts(parts, options);
  } catch (error) {
    if (parts) await stopParts(parts);
    throw unusable(settings.dataDir, error);
  }
}

async function startParts(parts: Parts, options: SupervisorOptions): Promise<Supervisor> {
  const { log, clock, progress, settings } = options;
  const { place } = parts;
  const { dataDir } = place;
  const folders = awaitFolders(settings.folders, options);

  let isThere = false;
  // Each of its lives is told once there is a socket to serve on, and certificates.
  let serve: (orders: Orders) => void = () => {};
  const orders = new Promise<Orders>((resolve) => {
    serve = resolve;
  });
  const startOne = () => {
    const program = startControlPlane(place, options.env);
    program.child.on("message", folders.hear);
    void orders.then((given) => tellControlPlane(program, given, { withCluster: !isThere }));
    return program;
  };
  const controlPlane = keepRunning("control-plane", startOne, { log, clock });
  parts.controlPlane = controlPlane;

  const ground = await takeGround(settings, place, controlPlane.current.identity.pid);
  parts.ground = ground;
  const { cluster, socket } = ground;
  const programs = createPrograms(ground, settings, options.env);
  const names = cluster.nodes.map(({ name }) => name);
  ensurePki({ dataDir, slot: cluster.slot, nodes: names, nowMs: clock.now() });
  serve({ settingsAt: programs.controlPlaneSettings, socket });
  // When it is first asked for: Node's TLS takes as long to load as the supervisor's own code.
  const client = () => {
    parts.client ??= import("./connect.ts").then(({ connect }) => connect(dataDir));
    return parts.client;
  };
  const tellLost = cluster.profile === "fast";
  const agents = createNodeAgents({
    dataDir,
    log,
    clock,
    tellLost,
    client,
    start: (node) => programs.nodeAgent(node, { withCluster: !isThere }),
  });
  parts.agents = agents;

  const startProxy = (worker: number) => {
    const start = () => {
      const program = programs.proxy(worker);
      parts.handles.serve(program.child);
      return program;
    };
    const proxy = keepRunning(`proxy-${worker}`, start, { log, clock });
    parts.proxies.push(proxy);
    return proxy;
  };

  const steps = new Map<string, Promise<unknown>>([
    ["control plane", controlPlane.firstReady],
    ...cluster.nodes.map((node) => [node.name, agents.add(node)] as const),
    ["proxy", startProxy(0).firstReady],
    ["folders", folders.applied],
  ]);
  const kubeconfig = writeKubeconfig(dataDir, cluster.name, programs.apiServer);
  await allSteps(steps, options, dataDir);
  const settled = await removeCutNodes(client, { dataDir, cluster, log });
  isThere = true;
  progress("all is there");
  parts.cancelLater = clock.after(LATER_MS, () => {
    try {
      startProxy(1);
    } catch (error) {
      log.error({ error: String(error) }, "the second proxy worker could not be started");
    }
    // So that the first loss of a node is told without that delay.
    client().catch((error: unknown) => log.error({ error: String(error) }, "no client of the API"));
  });
  const { apiServer } = programs;
  return running(parts, {
    agents,
    client,
    controlPlane,
    kubeconfig,
    apiServer,
    settled,
    proxyMode: ground.proxy,
  });
}

/** Resolves when every step is done; rejects with the first failure, when cut off, or when it takes too long, and then says what is missing. */
async function allSteps(
  steps: ReadonlyMap<string, Promise<unknown>>,
  { progress, signal, clock }: SupervisorOptions,
  dataDir: string,
): Promise<void> {
  const missing = new Set(steps.keys());
  const done = [...steps].map(async ([name, step]) => {
    await step;
    missing.delete(name);
    progress(`${name}: ready`);
  });
  const over = new AbortController();
  const cutOff = () => over.abort();
  signal.addEventListener("abort", cutOff);
  if (signal.aborted) cutOff();
  const late = clock.sleep(LONGEST_START_MS, over.signal).then(() => {
    if (signal.aborted) throw new Error("the start was cut off");
    if (!over.signal.aborted)
      throw new Error(
        `not ready after ${LONGEST_START_MS / 1000} s: ${[...missing].join(", ")}; see ${dataDir}/logs`,
      );
  });
  try {
    await Promise.race([Promise.all(done), late]);
  } finally {
    signal.removeEventListener("abort", cutOff);
    over.abort();
  }
}

function running(
  parts: Parts,
  has: Pick<Supervisor, "agents" | "client" | "kubeconfig" | "apiServer" | "proxyMode"> & {
    controlPlane: KeptProgram;
    /** What cluster.json says by now. */
    settled: ClusterFile;
  },
): Supervisor {
  const { agents, client, kubeconfig, apiServer, controlPlane, proxyMode } = has;
  const { dataDir } = parts.place;
  let cluster = has.settled;
  return {
    get cluster() {
      return cluster;
    },
    dataDir,
    apiServer,
    kubeconfig,
    agents,
    client,
    proxyMode,
    controlPlanePid: () => controlPlane.current.identity.pid,
    proxyPids: () => parts.proxies.map((proxy) => proxy.current.identity.pid),
    saveNodes() {
      cluster = { ...cluster, nodes: agents.list().map(({ name, index }) => ({ name, index })) };
      try {
        writeCluster(dataDir, cluster);
      } catch (error) {
        throw unusable(dataDir, error);
      }
    },
    stop: () => stopParts(parts),
  };
}

async function stopParts(parts: Parts): Promise<void> {
  const { place, ground, agents, proxies } = parts;
  parts.cancelLater?.();
  await parts.controlPlane?.stop(STOP_GRACE_MS);
  ground?.socket.close();
  place.localSocket.close();
  (await parts.client?.catch(() => undefined))?.transport.close();
  await Promise.all([agents?.stopAll(STOP_GRACE_MS), ...proxies.map((proxy) => proxy.stop(STOP_GRACE_MS))]);
  parts.handles.close();
  await sweepMarked({ KUBEMU_CLUSTER: place.dataDir });
  if (parts.inMemory) forgetMemory(place.dataDir);
  ground?.release();
}
