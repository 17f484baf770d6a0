// What a drill is, once its file has been read: all spans in milliseconds, all shares as percentages, every default filled in.
// docs/drills.md says it for users; file/grammar.ts says what a file may hold.

export interface Drill {
  readonly name: string;
  readonly description: string;
  readonly seed: number;
  /** Where objects without a namespace of their own go; made where it is not there, and removed afterwards if so. */
  readonly namespace: string;
  /** The traffic lasts at least so long, and until the steps are done and the cluster has recovered. */
  readonly duration: number;
  /** How long the cluster may take to recover after the last step. */
  readonly settle: number;
  readonly setup: Setup;
  readonly traffic: readonly Traffic[];
  readonly steps: readonly Step[];
  readonly expect: Expect;
}

export interface Setup {
  readonly manifests: readonly ManifestSource[];
  /** How long the workloads may take to be complete, and the Services to answer. */
  readonly ready: number;
}

/** A file or folder beside the drill's, or the object itself. */
export type ManifestSource =
  | { readonly file: string }
  | { readonly object: Readonly<Record<string, unknown>> };

export interface Traffic {
  readonly name: string;
  readonly service: string;
  readonly namespace?: string;
  /** The Service port's name or number; its first where absent. */
  readonly port?: string | number;
  readonly path: string;
  /** Requests per second, sent whether or not earlier ones have been answered. */
  readonly rate: number;
  readonly connections: "new" | "kept";
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeout: number;
  /** The answers' codes that count as served; any 2xx or 3xx where empty. */
  readonly status: readonly number[];
  readonly expect: TrafficExpect;
}

export interface TrafficExpect {
  /** At least, in percent. */
  readonly availability?: number;
  /** At most. */
  readonly failed?: number;
  /** At most: requests over new connections that got no connection. */
  readonly refused?: number;
  readonly longestOutage?: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly p999?: number;
  /** At least: the rate that was sent, in percent of the one asked for. */
  readonly rate?: number;
}

export interface Expect extends TrafficExpect {
  /** At most, for every fault. */
  readonly endpointGone?: number;
  readonly replacementReady?: number;
  readonly fullReplicas?: number;
  readonly noOrphans?: boolean;
  readonly rolledOut?: readonly string[];
}

export interface Step {
  readonly name?: string;
  /** Not before so long after the traffic began. */
  readonly at?: number;
  /** So long after the step before was done. */
  readonly after?: number;
  readonly when?: Condition;
  /** How long `when` may take to hold; then the drill fails. */
  readonly within: number;
  readonly action: Action;
}

export interface Condition {
  readonly recovered?: boolean;
  readonly rolledOut?: string;
  readonly ready?: { readonly workload: string; readonly replicas: number };
  readonly nodeReady?: string;
  readonly nodeNotReady?: string;
  readonly sent?: number;
}

/** What a step does; `verb` is the word of the file. Targets: `deployment/web`, `pod/web-0`, `any`. */
export type Action =
  | ({ readonly verb: "kill" } & KillTarget)
  | {
      readonly verb: "delete";
      readonly pod: string;
      readonly count: number;
      readonly gracePeriod?: number;
    }
  | { readonly verb: NodeVerb; readonly node: string }
  | {
      readonly verb: "degrade";
      readonly service?: string;
      readonly pod?: string;
      readonly node?: string;
      readonly latency?: number;
      readonly jitter?: number;
      readonly loss?: number;
      readonly cut?: boolean;
    }
  | { readonly verb: "delayEndpoints"; readonly lag: number; readonly service?: string }
  | { readonly verb: "restore" }
  | { readonly verb: "apply"; readonly manifests: readonly ManifestSource[] }
  | {
      readonly verb: "patch";
      readonly target: string;
      readonly type: "merge" | "strategic" | "json";
      readonly patch: unknown;
    }
  | { readonly verb: "scale"; readonly target: string; readonly replicas: number }
  | {
      readonly verb: "setImage";
      readonly target: string;
      readonly image: string;
      readonly container: string;
    }
  | { readonly verb: "rolloutRestart"; readonly target: string }
  | { readonly verb: "rolloutUndo"; readonly target: string; readonly toRevision: number }
  | ({ readonly verb: "wait" } & Condition)
  | { readonly verb: "repeat"; readonly times: number; readonly steps: readonly Step[] }
  | { readonly verb: "mix"; readonly times: number; readonly of: readonly Step[] };

export interface KillTarget {
  readonly pod?: string;
  readonly container?: string;
  readonly node?: string;
  readonly program?: "control-plane" | "proxy";
  readonly count: number;
}

export type NodeVerb =
  | "pause"
  | "resume"
  | "partition"
  | "heal"
  | "start"
  | "stop"
  | "cordon"
  | "uncordon"
  | "drain";
