// What every part of the node agent works with. Made once, by startNodeAgent.
import type { ConfigMap, Pod, Secret, Service } from "../../src/api/generated/types.ts";
import type { Image } from "../../src/api/kinds/image.ts";
import type { ProxyWorker } from "../../src/api/kinds/proxy-worker.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { DnsPlace } from "../../src/base/cluster-dns.ts";
import type { Log } from "../../src/base/log.ts";
import type { Timing } from "../../src/base/timing.ts";
import type { Client } from "../../src/client/client.ts";
import type { Informer } from "../../src/client/informer.ts";
import type { Recorder } from "../../src/client/recorder.ts";
import type { NodeAgentSettings } from "../../src/process/settings.ts";
import type { Environment, References } from "./containers/environment.ts";
import type { LogFile } from "./containers/log-file.ts";
import type { ContainerProcess, Spawner } from "./containers/process.ts";
import type { Slots } from "./containers/slots.ts";
import type { WarmPool } from "./containers/warm-pool.ts";
import type { Forwarding } from "./pod/host-ports.ts";
import type { PodNetwork } from "./pod/network.ts";
import type { PodState } from "./pod/state.ts";
import type { Payload } from "./volumes/payload.ts";

export interface NodeContext {
  readonly settings: NodeAgentSettings;
  /** The PATH that containers get. */
  readonly searchPath: string;
  readonly client: Client;
  readonly clock: Clock;
  readonly timing: Timing;
  readonly log: Log;
  readonly recorder: Recorder;
  readonly network: PodNetwork;
  readonly dns: DnsPlace;
  /** The small programs that come first on containers' PATH, and what is loaded into their Node programs (dist/preload.js). */
  readonly standIns: { readonly folder: string; readonly preload: string };
  readonly spawner: Spawner;
  readonly pool: WarmPool;
  /** How many containers may be starting at once. */
  readonly slots: Slots;
  readonly images: Informer<Image>;
  readonly services: Informer<Service>;
  readonly proxyWorkers: Informer<ProxyWorker>;
  readonly references: ReferenceStore;
  readonly allocatable: Readonly<Record<string, string>>;
  /** DATA_DIR/nodes/NAME */
  readonly directory: string;
  /** Canonical names of the images that were pulled on this node. */
  readonly pulled: Map<string, number>;
}

/** ConfigMaps and Secrets, watched one by one while a pod needs them. */
export interface ReferenceStore {
  /** For one pod; what it asked for is watched until `release`. */
  forPod(uid: string): References;
  release(uid: string): void;
  stop(): Promise<void>;
}

export type Referenced = ConfigMap | Secret;

/** One run of a container, from its start until its log is dropped. */
export interface ContainerRun {
  readonly process: ContainerProcess;
  readonly log: LogFile;
  readonly environment: Environment;
  readonly cwd: string;
  readonly startedAt: number;
  readonly portMap: Readonly<Record<string, number>>;
  /** Stops the probes. */
  stopProbes: () => void;
}

/** All that the agent holds of one pod. The pod's worker owns it. */
export interface PodRecord {
  readonly uid: string;
  /** The newest version seen, by resourceVersion. */
  pod: Readonly<Pod>;
  readonly state: PodState;
  /** DATA_DIR/nodes/NAME/pods/UID */
  readonly directory: string;
  /** The address it holds in the node's range; undefined once given back. */
  address: string | undefined;
  portMap: Readonly<Record<string, number>>;
  /** Its host ports, while it has its sandbox. */
  hostPorts: Forwarding | undefined;
  /** Volume name → where it lies. */
  readonly volumes: Map<string, string>;
  /** Per volume of files: what was written last. */
  readonly payloads: Map<string, WrittenPayload>;
  /** Per audience ("" where none is named): the token of the pod's service account. */
  readonly tokens: Map<string, IssuedToken>;
  /** Newest run last; at most the current and the one before it. */
  readonly runs: Map<string, ContainerRun[]>;
  /** Per container: image pull back-off. */
  readonly pulls: Map<string, PullFailure>;
  /** True once a program other than a built-in one ran: only those can leave processes behind. */
  foreign: boolean;
  /** Aborts when the pod is being ended: nothing more is started, long waits are given up. */
  readonly ending: AbortController;
  /** Looks at the pod again soon. */
  wake(): void;
}

/** `compareAt` in milliseconds since the epoch: until then the files are taken to be as they were written. */
export interface WrittenPayload {
  readonly payload: Payload;
  readonly compareAt: number;
}

/** `renewAt` in milliseconds since the epoch. */
export interface IssuedToken {
  readonly token: string;
  readonly renewAt: number;
}

/** Times in milliseconds since the epoch. */
export interface PullFailure {
  readonly image: string;
  readonly error: string;
  readonly delayMs: number;
  readonly until: number;
  /** ErrImagePull gives way to ImagePullBackOff then. */
  readonly shownUntil: number;
}
