// The cluster's programs, each with the settings and the environment it is started with.
import { join } from "node:path";
import type {
  ChildSettings,
  ControlPlaneSettings,
  NodeAgentSettings,
  ProxySettings,
  ServeMessage,
} from "../process/settings.ts";
import type { HeldSocket } from "../process/shared-handles.ts";
import { type Program, type ProgramOptions, startProgram } from "../process/spawn.ts";
import { childEnvironment, nodeFlags, type ProgramName, programFile } from "./children.ts";
import type { Ground, Place } from "./prepare.ts";
import type { SupervisorSettings } from "./settings.ts";
import type { ClusterNode } from "./state.ts";

// A pod process that is kept ready costs memory; two cover what one node loses at a time.
const WARM_POOL = 2;
// An agent is among the first of a cluster's processes: by then the others are there, and the first pods, too.
const START_TAKES_MS = 1_600;

/** One is there when the other dies, and both cores serve. */
export const PROXY_WORKERS = 2;

/** `withCluster`: as one of many processes that start now. */
export interface Moment {
  readonly withCluster: boolean;
}

export interface Programs {
  readonly apiServer: string;
  controlPlaneSettings(moment: Moment): ControlPlaneSettings;
  nodeAgent(node: ClusterNode, moment: Moment): Program;
  proxy(worker: number): Program;
}

type Launch = Pick<ProgramOptions, "settings" | "env" | "inherit"> & { readonly dataDir: string };

/** `name`: of its log. */
const start = (program: ProgramName, name: string, { dataDir, ...rest }: Launch): Program =>
  startProgram({
    file: programFile(program),
    nodeFlags: nodeFlags(program),
    logFile: join(dataDir, "logs", `${name}.log`),
    ...rest,
  });

/** It loads, and waits for `tellControlPlane`. */
export function startControlPlane({ dataDir, localSocket }: Place, from: NodeJS.ProcessEnv): Program {
  const env = childEnvironment(from, dataDir);
  return start("control-plane", "control-plane", { dataDir, env, inherit: localSocket.fd });
}

/** What a control plane needs to serve. */
export interface Orders {
  readonly settingsAt: Programs["controlPlaneSettings"];
  /** It gets a duplicate. */
  readonly socket: HeldSocket;
}

export function tellControlPlane({ child }: Program, { settingsAt, socket }: Orders, moment: Moment): void {
  const settings = settingsAt(moment);
  if (child.connected) child.send({ settings } satisfies ServeMessage, socket.handle, {}, () => {});
}

export function createPrograms(
  {
    dataDir,
    cluster,
    lowestPort,
    dnsPort,
    proxy: { mode: proxyMode },
    socket,
    localSocket,
    containerPrefix,
  }: Ground,
  { inMemory, folders, endpointLagMs = 0 }: SupervisorSettings,
  from: NodeJS.ProcessEnv,
): Programs {
  const env = childEnvironment(from, dataDir);
  const apiServer = `https://127.0.0.1:${socket.port}`;
  const common: ChildSettings = {
    cluster: cluster.name,
    dataDir,
    profile: cluster.profile,
    singleAddress: cluster.singleAddress,
    slot: cluster.slot,
    lowestPort,
    dnsPort,
    apiSocket: localSocket.path,
    endpointLagMs,
  };
  return {
    apiServer,
    controlPlaneSettings({ withCluster }) {
      const startingNodes = withCluster ? cluster.nodes.map(({ name }) => name) : [];
      return { ...common, apiPort: socket.port, inMemory, folders, startingNodes };
    },
    nodeAgent({ name, index }, { withCluster }) {
      const settings: NodeAgentSettings = {
        ...common,
        node: name,
        index,
        apiServer,
        containerPrefix,
        warmPool: WARM_POOL,
        startTakesMs: withCluster ? START_TAKES_MS : 0,
      };
      return start("node-agent", `node-${name}`, { dataDir, settings, env: { ...env, KUBEMU_NODE: name } });
    },
    proxy(worker) {
      const settings: ProxySettings = { ...common, proxyMode, worker, workers: PROXY_WORKERS };
      return start("proxy", `proxy-${worker}`, { dataDir, settings, env });
    },
  };
}
