import type { KubeObject } from "../../api/object.ts";
import type { DrillCluster } from "../cluster.ts";
import type { ManifestSource } from "../drill.ts";
import type { Observer } from "../observe/observe.ts";
import type { RunningTraffic } from "../traffic/start-traffic.ts";

/** What steps work with, and what they leave for those after them. */
export interface StepContext {
  readonly cluster: DrillCluster;
  readonly observer: Observer;
  readonly namespace: string;
  /** The Services that get traffic, `namespace/name`, with their selectors. */
  readonly services: readonly {
    readonly namespace: string;
    readonly selector: Readonly<Record<string, string>>;
  }[];
  readonly traffic: RunningTraffic;
  readonly signal: AbortSignal;
  /** How many Fault objects its steps have made: their names count. */
  faultsMade: number;
  /** The node of the node step before. */
  lastNode: string | undefined;
  /** Workloads that a step has changed (`namespace/deployment/web`), with the generation that it made. */
  readonly generations: Map<string, number>;
  /** What has to be taken back in the end, by what is broken. */
  readonly broken: Map<string, Broken>;
  objectsOf(sources: readonly ManifestSource[]): readonly KubeObject[];
}

export interface Broken {
  /** `node-2 resumed` */
  readonly healed: string;
  heal(): Promise<unknown>;
}
