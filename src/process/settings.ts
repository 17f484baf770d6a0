// What the supervisor tells its children when it starts them: one JSON argument, no secrets. Each child parses its own.
import type { Profile } from "../base/timing.ts";

/** Common to every child. Paths are absolute. */
export interface ChildSettings {
  /** The cluster's name, `kubemu` by default. */
  readonly cluster: string;
  readonly dataDir: string;
  readonly profile: Profile;
  /** All of 127.0.0.1, ports instead of addresses. */
  readonly singleAddress: boolean;
  /** The cluster's second octet of 127.0.0.0/8. */
  readonly slot: number;
  /** Ports from here up may be bound by this user (0 as root). */
  readonly lowestPort: number;
  /** Where the cluster's DNS server listens (src/base/cluster-dns.ts). */
  readonly dnsPort: number;
  /** The API's Unix socket. */
  readonly apiSocket: string;
  /** How much later than they could, proxies act on changes of endpoints; above 0 nobody waits for them to. */
  readonly endpointLagMs: number;
}

export interface ControlPlaneSettings extends ChildSettings {
  /** 0: any free; otherwise 127.0.0.1:apiPort. The supervisor holds that socket and sends its handle with the settings. */
  readonly apiPort: number;
  readonly inMemory: boolean;
  /** The nodes that start at the same time. */
  readonly startingNodes: readonly string[];
  /** Watched folders, absolute. */
  readonly folders: readonly string[];
}

export interface NodeAgentSettings extends ChildSettings {
  readonly node: string;
  /** i of `127.S.i.1`. */
  readonly index: number;
  /** `https://127.0.0.1:PORT`: what containers are told. */
  readonly apiServer: string;
  /** What a container's command begins with, so that the kernel ends it with the agent (death-signal.ts). */
  readonly containerPrefix: readonly string[];
  /** Pre-started container processes kept ready. */
  readonly warmPool: number;
  /** How long the cluster's start takes that this agent is part of, in milliseconds: what can wait waits for so long. 0 where it starts alone. */
  readonly startTakesMs: number;
}

/** Who carries a Service's connections: the proxy's workers, or the kernel where it can. */
export type ProxyMode = "userspace" | "nftables";

export interface ProxySettings extends ChildSettings {
  readonly proxyMode: ProxyMode;
  /** Counted from 0. */
  readonly worker: number;
  /** How many workers share every listening handle. */
  readonly workers: number;
}

/** Supervisor → control plane, with the API's socket. Until then the control plane loads, and touches nothing. */
export interface ServeMessage {
  readonly settings: ControlPlaneSettings;
}

export function isServeMessage(message: unknown): message is ServeMessage {
  return typeof message === "object" && message !== null && "settings" in message;
}

/** Where the control plane finds the API's Unix socket: bound, and not yet listening. */
export const INHERITED_FD = 4;

/** What the supervisor sends a node agent before it ends it together with the whole cluster. */
export const API_IS_GONE = "api-is-gone";

/** What the supervisor sends a node agent whose way to the API is cut or healed; the agent answers with the same once it is done. */
export interface LinkMessage {
  readonly link: "cut" | "healed";
}

/** The message as it came over IPC, where it is one of these. */
export function linkMessage(message: unknown): LinkMessage | undefined {
  const { link } = { ...(typeof message === "object" ? message : {}) } as Partial<LinkMessage>;
  return link === "cut" || link === "healed" ? { link } : undefined;
}

/** What a child says once, over IPC, when it serves. */
export interface ReadyMessage {
  readonly ready: true;
  /** The control plane: the API's port. */
  readonly apiPort?: number;
}

/** The settings from `--settings JSON` in `argv`; throws a plain sentence where they are missing or no JSON. */
export function parseSettings<T extends ChildSettings>(argv: readonly string[]): T {
  const text = argv[argv.indexOf("--settings") + 1];
  if (!argv.includes("--settings") || text === undefined)
    throw new Error("--settings JSON is missing: this program is started by `kubemu up`");
  return JSON.parse(text) as T;
}
