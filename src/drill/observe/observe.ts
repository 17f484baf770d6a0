// The drill's eyes: watches on pods, endpoints, workloads and nodes. They make the timeline, say when faults have been recovered from, and wake
// whoever waits for a condition. Times are when this process heard of a change.

import type {
  DaemonSet,
  Deployment,
  EndpointSlice,
  Node,
  Pod,
  StatefulSet,
} from "../../api/generated/types.ts";
import { daemonSets } from "../../api/kinds/daemon-set.ts";
import { deployments } from "../../api/kinds/deployment.ts";
import { endpointSlices } from "../../api/kinds/endpoint-slice.ts";
import { nodes } from "../../api/kinds/node.ts";
import { pods } from "../../api/kinds/pod.ts";
import { statefulSets } from "../../api/kinds/stateful-set.ts";
import { isNodeReady } from "../../api/node-status.ts";
import { type KubeObject, keyOf } from "../../api/object.ts";
import { labelMatcher } from "../../api/selectors.ts";
import { silentLog } from "../../base/log.ts";
import type { Client } from "../../client/client.ts";
import type { LiveInformer } from "../../client/informer.ts";
import { createInformers } from "../../client/informers.ts";
import { preciseNow } from "../traffic/protocol.ts";
import { describeEndpoints, describeNode, describePod } from "./changes.ts";
import { type Fault, type Recovery, recoveredSoFar } from "./recovery.ts";
import { seePod, type WorkloadSeen, type World } from "./world.ts";

export interface TimelineEntry {
  readonly at: number;
  readonly what: "step" | "pod" | "endpoint" | "node" | "drill";
  readonly text: string;
}

export interface TrackedFault {
  readonly fault: Fault;
  readonly recovery: Recovery;
  /** It has been taken back: its node runs or is connected again. */
  isOver: boolean;
}

export interface Observer {
  world(): World;
  readonly timeline: readonly TimelineEntry[];
  /** `at`: where it is not now. */
  note(what: TimelineEntry["what"], text: string, at?: number): void;
  track(fault: Fault): TrackedFault;
  readonly faults: readonly TrackedFault[];
  /** The workload's object as it was last seen: `deployment/web`. */
  workload(namespace: string, name: string): { kind: string; object: Readonly<KubeObject> } | undefined;
  /** Asks after every change; resolves true once it holds, false when `signal` aborts. What `holds` throws is thrown. */
  until(holds: () => boolean, signal: AbortSignal): Promise<boolean>;
  /** Asks again: something has changed that no watch tells. */
  look(): void;
  stop(): Promise<void>;
}

/** Follows the objects of those namespaces, and the nodes. Resolves once everything has been seen once. */
export async function startObserver(client: Client, namespaces: ReadonlySet<string>): Promise<Observer> {
  const informers = createInformers(client, { log: silentLog });
  const seen = {
    pods: informers.of<Pod>(pods),
    slices: informers.of<EndpointSlice>(endpointSlices),
    nodes: informers.of<Node>(nodes),
    deployments: informers.of<Deployment>(deployments),
    statefulSets: informers.of<StatefulSet>(statefulSets),
    daemonSets: informers.of<DaemonSet>(daemonSets),
  };
  await informers.synced();
  const timeline: TimelineEntry[] = [];
  const faults: TrackedFault[] = [];
  const waiting = new Set<() => void>();
  const isOurs = (object: Readonly<KubeObject>) => namespaces.has(object.metadata.namespace ?? "");
  const world = (): World => ({
    pods: seen.pods.list().filter(isOurs).map(seePod),
    endpoints: endpointsOf(seen.slices.list().filter(isOurs)),
    workloads: [
      ...seen.deployments
        .list()
        .filter(isOurs)
        .map((each) => workloadOf("deployment", each)),
      ...seen.statefulSets
        .list()
        .filter(isOurs)
        .map((each) => workloadOf("statefulset", each)),
      ...seen.daemonSets
        .list()
        .filter(isOurs)
        .map((each) => workloadOf("daemonset", each)),
    ],
    readyNodes: new Set(
      seen.nodes
        .list()
        .filter(isNodeReady)
        .map(({ metadata }) => metadata.name),
    ),
  });
  const look = () => {
    if (faults.some(({ recovery }) => recovery.fullReplicas === undefined)) follow(faults, world());
    for (const ask of [...waiting]) ask();
  };
  const note: Observer["note"] = (what, text, at = preciseNow()) => void timeline.push({ at, what, text });
  const tell = <T extends KubeObject>(
    informer: LiveInformer<T>,
    what: TimelineEntry["what"],
    describe: (after: Readonly<T> | undefined, before: Readonly<T> | undefined) => readonly string[],
  ) => {
    let isNews = false;
    informer.onChange((after, before) => {
      const object = after ?? before;
      if (!isNews || !object || (what !== "node" && !isOurs(object))) return;
      for (const text of describe(after, before)) note(what, text);
      look();
    });
    isNews = true;
  };
  tell(seen.pods, "pod", describePod);
  tell(seen.slices, "endpoint", describeEndpoints);
  tell(seen.nodes, "node", describeNode);
  for (const informer of [seen.deployments, seen.statefulSets, seen.daemonSets])
    tell(informer as unknown as LiveInformer<KubeObject>, "drill", () => []);

  return {
    world,
    timeline,
    note,
    faults,
    look,
    track(fault) {
      const tracked = { fault, recovery: {}, isOver: false };
      faults.push(tracked);
      return tracked;
    },
    workload(namespace, word) {
      const [type = "", name = ""] = word.split("/");
      const [kind, informer] = {
        deployment: ["Deployment", seen.deployments] as const,
        statefulset: ["StatefulSet", seen.statefulSets] as const,
        daemonset: ["DaemonSet", seen.daemonSets] as const,
      }[type] ?? [undefined, undefined];
      const object = informer?.get(keyOf({ metadata: { namespace, name } }));
      return kind && object ? { kind, object } : undefined;
    },
    until: (holds, signal) => untilHolds(waiting, holds, signal),
    stop: () => informers.stop(),
  };
}

/** Asks now, and whenever it is woken through `waiting`. */
function untilHolds(waiting: Set<() => void>, holds: () => boolean, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const end = () => {
      waiting.delete(ask);
      signal.removeEventListener("abort", give);
    };
    const give = () => {
      end();
      resolve(false);
    };
    const ask = () => {
      try {
        if (!holds()) return;
        end();
        resolve(true);
      } catch (error) {
        end();
        reject(error);
      }
    };
    if (signal.aborted) return resolve(false);
    signal.addEventListener("abort", give);
    waiting.add(ask);
    ask();
  });
}

function follow(faults: readonly TrackedFault[], world: World): void {
  const now = preciseNow();
  for (const { fault, recovery, isOver } of faults) {
    if (fault.victims.length === 0 || recovery.fullReplicas !== undefined) continue;
    const holds = recoveredSoFar(fault, world, isOver);
    if (holds.endpointGone) recovery.endpointGone ??= now - fault.at;
    if (holds.replacementReady) recovery.replacementReady ??= now - fault.at;
    if (holds.fullReplicas && holds.replacementReady) recovery.fullReplicas = now - fault.at;
  }
}

function endpointsOf(slices: readonly Readonly<EndpointSlice>[]): Set<string> {
  return new Set(
    slices
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false && conditions?.terminating !== true)
      .flatMap(({ targetRef }) => targetRef?.uid ?? []),
  );
}

function workloadOf(type: string, object: Readonly<Deployment | StatefulSet | DaemonSet>): WorkloadSeen {
  const { metadata, spec, status } = object as Deployment & {
    status?: { desiredNumberScheduled?: number };
  };
  const matches = labelMatcher(spec.selector);
  return {
    name: `${type}/${metadata.name}`,
    namespace: metadata.namespace ?? "",
    wanted: type === "daemonset" ? (status?.desiredNumberScheduled ?? 0) : (spec.replicas ?? 1),
    matches: (labels) => matches(labels),
  };
}
