// A cluster's life: take what it needs, start the control plane, then agents and proxy side by side, keep them, and at the end leave
// nothing behind. Order matters at the end: the control plane goes first, so that it does not record the others' going as failures.
import { mkdirSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Client } from "../client/client.ts";
import { createClient } from "../client/create-client.ts";
import { readCredentials } from "../client/credentials.ts";
import { createHttpsTransport } from "../client/http-transport.ts";
import { ensurePki } from "../pki/files.ts";
import { identityOf } from "../process/identity.ts";
import type {
  ChildSettings,
  ControlPlaneSettings,
  NodeAgentSettings,
  ProxySettings,
} from "../process/settings.ts";
import { createSharedHandles, type HeldSocket, holdSocket } from "../process/shared-handles.ts";
import { type Program, startProgram } from "../process/spawn.ts";
import { sweepMarked } from "../process/sweep.ts";
import { anySlot, claimSlot, findLowestPort, hasManyAddresses } from "./addresses.ts";
import { childEnvironment, programFile } from "./children.ts";
import { checkDataDir } from "./data-dir.ts";
import { type KeptProgram, keepRunning } from "./keep-running.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { createNodeAgents, type NodeAgents } from "./node-agents.ts";
import type { SupervisorSettings } from "./settings.ts";
import {
  type ClusterFile,
  type ClusterNode,
  DATA_VERSION,
  type FolderApplied,
  type FolderLine,
  readCluster,
  writeCluster,
} from "./state.ts";

// A pod process that is kept ready costs memory; two cover what one node loses at a time.
const WARM_POOL = 2;
const STOP_GRACE_MS = 10_000;

export interface SupervisorOptions {
  readonly settings: SupervisorSettings;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly clock: Clock;
  /** Lines for whoever waits for the start. */
  readonly progress: (line: string) => void;
  readonly onFolder: (applied: FolderApplied) => void;
  readonly onLine: (line: FolderLine) => void;
}

export interface Supervisor {
  readonly cluster: ClusterFile;
  readonly apiServer: string;
  readonly kubeconfig: string;
  readonly agents: NodeAgents;
  readonly client: Client;
  controlPlanePid(): number;
  proxyPids(): number[];
  /** Remembers the nodes in cluster.json after one was added or removed. */
  saveNodes(): void;
  stop(): Promise<void>;
}

/** Starts everything and resolves once the nodes are Ready and every folder has been applied; on failure all is ended again. */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const { settings, log, clock, progress } = options;
  mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 });
  const dataDir = realpathSync(settings.dataDir);
  checkDataDir(dataDir);
  await sweepMarked({ KUBEMU_CLUSTER: dataDir });
  mkdirSync(join(dataDir, "logs"), { recursive: true, mode: 0o700 });
  if (settings.inMemory) rmSync(join(dataDir, "store-in-memory"), { recursive: true, force: true });

  const before = readCluster(dataDir);
  const singleAddress = settings.singleAddress ?? (before?.singleAddress || !(await hasManyAddresses()));
  const [slot, lowestPort] = await Promise.all([
    singleAddress ? anySlot(before?.slot) : claimSlot(before?.slot),
    findLowestPort(),
  ]);
  const socket = holdApiSocket(settings.apiPort ?? before?.apiPort ?? 0, settings.apiPort !== undefined);
  const cluster: ClusterFile = {
    version: DATA_VERSION,
    name: settings.name,
    slot: slot.number,
    apiPort: socket.port,
    nodes: chooseNodes(before?.nodes ?? [], settings.nodes),
    profile: settings.profile ?? before?.profile ?? "fast",
    singleAddress,
  };
  writeCluster(dataDir, cluster);

  const env = childEnvironment(options.env, dataDir);
  const apiServer = `https://127.0.0.1:${socket.port}`;
  const common: ChildSettings = {
    cluster: cluster.name,
    dataDir,
    profile: cluster.profile,
    singleAddress,
    slot: slot.number,
    lowestPort,
  };
  const start = (
    file: Parameters<typeof programFile>[0],
    log: string,
    childSettings: ChildSettings,
    more: Record<string, string> = {},
  ): Program =>
    startProgram({
      file: programFile(file),
      settings: childSettings,
      logFile: join(dataDir, "logs", `${log}.log`),
      env: { ...env, ...more },
    });

  // The control plane loads while the certificates are made; it serves once it is handed its socket.
  let issued: () => void = () => {};
  const certificates = new Promise<void>((resolve) => {
    issued = resolve;
  });
  const folders = awaitFolders(settings.folders, options);
  const controlPlane = keepRunning(
    "control-plane",
    () => {
      const controlPlaneSettings: ControlPlaneSettings = {
        ...common,
        apiPort: socket.port,
        inMemory: settings.inMemory,
        folders: settings.folders,
      };
      const program = start("control-plane", "control-plane", controlPlaneSettings);
      program.child.on("message", folders.hear);
      void certificates.then(
        () => program.child.connected && program.child.send("listen", socket.handle, {}, () => {}),
      );
      return program;
    },
    { log, clock },
  );
  const parts: Parts = {
    controlPlane,
    proxies: [],
    handles: createSharedHandles(),
    socket,
    release: slot.release,
    dataDir,
    inMemory: settings.inMemory,
  };

  try {
    progress("making certificates");
    ensurePki({
      dataDir,
      slot: slot.number,
      nodes: cluster.nodes.map(({ name }) => name),
      nowMs: clock.now(),
    });
    issued();
    const kubeconfig = writeKubeconfig(dataDir, cluster.name, apiServer);
    const client = createClient(
      createHttpsTransport({ server: apiServer, ...readCredentials(dataDir, "supervisor") }),
      { userAgent: "kubemu-supervisor" },
    );
    const agents = createNodeAgents({
      dataDir,
      log,
      clock,
      tellLost: cluster.profile === "fast",
      client: () => client,
      start: (node) => {
        const agentSettings: NodeAgentSettings = {
          ...common,
          node: node.name,
          index: node.index,
          apiServer,
          warmPool: WARM_POOL,
        };
        return start("node-agent", `node-${node.name}`, agentSettings, { KUBEMU_NODE: node.name });
      },
    });
    parts.agents = agents;
    parts.client = client;
    const startProxy = (worker: number) => {
      const proxySettings: ProxySettings = { ...common, apiServer, worker };
      return keepRunning(
        `proxy-${worker}`,
        () => {
          const program = start("proxy", `proxy-${worker}`, proxySettings);
          parts.handles.serve(program.child);
          return program;
        },
        { log, clock },
      );
    };
    progress("starting the control plane, the nodes and the proxy");
    parts.proxies.push(startProxy(0));
    const nodes = cluster.nodes.map((node) => agents.add(node).then(() => progress(`${node.name} is ready`)));
    await Promise.all([controlPlane.firstReady, ...nodes, parts.proxies[0]?.firstReady, folders.applied]);
    // The second worker is for throughput and for the first one's death: it must not slow the start.
    parts.proxies.push(startProxy(1));
    let current = cluster;
    return {
      get cluster() {
        return current;
      },
      apiServer,
      kubeconfig,
      agents,
      client,
      controlPlanePid: () => controlPlane.current.identity.pid,
      proxyPids: () => parts.proxies.map((proxy) => proxy.current.identity.pid),
      saveNodes() {
        current = { ...current, nodes: agents.list().map(({ name, index }) => ({ name, index })) };
        writeCluster(dataDir, current);
      },
      stop: () => stopParts(parts),
    };
  } catch (error) {
    await stopParts(parts);
    throw error;
  }
}

interface Parts {
  readonly controlPlane: KeptProgram;
  readonly proxies: KeptProgram[];
  readonly handles: ReturnType<typeof createSharedHandles>;
  readonly socket: HeldSocket;
  readonly release: () => void;
  readonly dataDir: string;
  readonly inMemory: boolean;
  agents?: NodeAgents;
  client?: Client;
}

async function stopParts(parts: Parts): Promise<void> {
  await parts.controlPlane.stop(STOP_GRACE_MS);
  parts.socket.close();
  parts.client?.transport.close();
  await Promise.all([
    parts.agents?.stopAll(STOP_GRACE_MS),
    ...parts.proxies.map((proxy) => proxy.stop(STOP_GRACE_MS)),
  ]);
  parts.handles.close();
  await sweepMarked({ KUBEMU_CLUSTER: parts.dataDir });
  if (parts.inMemory) rmSync(join(parts.dataDir, "store-in-memory"), { recursive: true, force: true });
  parts.release();
}

function holdApiSocket(port: number, asked: boolean): HeldSocket {
  try {
    return holdSocket("127.0.0.1", port);
  } catch (error) {
    // The port it had last is a convenience; the one that was asked for is not.
    if (!asked) return holdSocket("127.0.0.1", 0);
    throw new Error(
      `port ${port} of 127.0.0.1 is taken or may not be used (${(error as NodeJS.ErrnoException).code}); choose another --api-port`,
      { cause: error },
    );
  }
}

/** The nodes a cluster had, cut or grown to `count`; a new cluster has node-1 to node-N. */
export function chooseNodes(had: readonly ClusterNode[], count: number | undefined): ClusterNode[] {
  const wanted = count ?? (had.length || 3);
  const nodes = had.slice(0, wanted);
  while (nodes.length < wanted) nodes.push(nextNode(nodes));
  return nodes;
}

/** The next node's index is the lowest free one; its name follows from it unless that is taken. */
export function nextNode(nodes: readonly ClusterNode[], name?: string): ClusterNode {
  let index = 1;
  while (nodes.some((node) => node.index === index)) index++;
  let number = index;
  while (nodes.some((node) => node.name === `node-${number}`)) number++;
  return { name: name ?? `node-${number}`, index };
}

/** Resolves `applied` once every folder has been applied; the control plane sends that, and lines for the console, over IPC. */
function awaitFolders(
  folders: readonly string[],
  { onFolder, onLine }: Pick<SupervisorOptions, "onFolder" | "onLine">,
) {
  const waiting = new Set(folders);
  let done: () => void = () => {};
  const applied = new Promise<void>((resolve) => {
    done = resolve;
  });
  if (waiting.size === 0) done();
  return {
    applied,
    hear(message: unknown) {
      if (typeof message !== "object" || message === null) return;
      if ("line" in message) onLine(message.line as FolderLine);
      if (!("folders" in message)) return;
      for (const each of message.folders as readonly FolderApplied[]) {
        onFolder(each);
        waiting.delete(each.folder);
      }
      if (waiting.size === 0) done();
    },
  };
}

/** This process, as supervisor.json names it. */
export function ownIdentity() {
  const identity = identityOf(process.pid);
  if (!identity) throw new Error("this process cannot find itself in the process table");
  return identity;
}
