// A drill from its first manifest to its report. Whatever happens in between, what it broke is taken back, what it made is removed, and what
// has been measured is reported.
import { dirname, resolve } from "node:path";
import type { KubeObject } from "../api/object.ts";
import { systemClock } from "../base/clock.ts";
import { findOrphans } from "../process/orphans.ts";
import { type DrillCluster, insist, statusOf } from "./cluster.ts";
import type { Drill, ManifestSource } from "./drill.ts";
import { holdCluster } from "./lock.ts";
import { type Observer, startObserver } from "./observe/observe.ts";
import { planSteps } from "./plan-steps.ts";
import { buildReport, type DrillReport } from "./report/report.ts";
import { runSteps } from "./run-steps.ts";
import { awaitReady, findTargets, prepare, type Target } from "./setup.ts";
import { hasRecovered, isRolledOut } from "./steps/conditions.ts";
import type { StepContext } from "./steps/context.ts";
import type { Counts } from "./traffic/protocol.ts";
import { type RunningTraffic, startTraffic } from "./traffic/start-traffic.ts";

export interface DrillOptions {
  /** The drill's file: manifests are found beside it. */
  readonly file: string;
  /** Leaves the objects that were made. */
  readonly keep?: boolean;
  /** Aborts when the user has had enough: everything is taken back and the report is of what ran. */
  readonly signal: AbortSignal;
  readonly progress: (now: Progress) => void;
}

export interface Progress {
  readonly doing: string;
  /** Absent before the first request. */
  readonly traffic?: { readonly counts: Counts; readonly startedAt: number };
}

const PROGRESS_EVERY_MS = 200;
// The kernel takes a moment to hand on what a killed parent has left.
const ORPHANS_GONE_WITHIN_MS = 3_000;
const POLL_MS = 20;

/** Throws where it cannot begin: another drill runs, a manifest is wrong, a Service does not exist. */
export async function runDrill(
  cluster: DrillCluster,
  drill: Drill,
  options: DrillOptions,
): Promise<DrillReport> {
  const objectsOf = (sources: readonly ManifestSource[]) =>
    sources.flatMap((source) => objectsIn(cluster, source, options.file));
  const objects = objectsOf(drill.setup.manifests);
  // Read now: a file that is not there should not be found missing in the middle.
  for (const { action } of planSteps(drill.steps, drill.seed))
    if (action.verb === "apply") objectsOf(action.manifests);
  const letGo = await holdCluster(cluster.client, drill.name);
  try {
    options.progress({ doing: "setting up" });
    const prepared = await prepare(cluster, { namespace: drill.namespace, objects });
    try {
      return await runPrepared(cluster, drill, { ...options, objectsOf });
    } finally {
      if (!options.keep) await prepared.remove();
    }
  } finally {
    await letGo();
  }
}

function objectsIn(cluster: DrillCluster, source: ManifestSource, file: string): readonly KubeObject[] {
  if ("file" in source) return cluster.readManifests(resolve(dirname(file), source.file));
  const object = source.object as Partial<KubeObject>;
  if (!object.apiVersion || !object.kind || !object.metadata?.name)
    throw new Error("a manifest in the drill needs apiVersion, kind and metadata.name");
  return [object as KubeObject];
}

type Prepared = DrillOptions & Pick<StepContext, "objectsOf">;

async function runPrepared(cluster: DrillCluster, drill: Drill, options: Prepared): Promise<DrillReport> {
  const targets = await findTargets(cluster.client, drill);
  const namespaces = new Set([drill.namespace, ...targets.map(({ namespace }) => namespace)]);
  const observer = await startObserver(cluster.client, namespaces);
  try {
    const { signal } = options;
    options.progress({ doing: "waiting until everything is Ready" });
    const streams = await awaitReady(cluster.client, { drill, targets, observer, signal });
    const traffic = await startTraffic(cluster.trafficProgram, signal.aborted ? [] : streams);
    return await runUnderTraffic(cluster, drill, { ...options, observer, targets, traffic });
  } finally {
    await observer.stop();
  }
}

async function runUnderTraffic(
  cluster: DrillCluster,
  drill: Drill,
  options: Prepared & {
    readonly observer: Observer;
    readonly targets: readonly Target[];
    readonly traffic: RunningTraffic;
  },
): Promise<DrillReport> {
  const { observer, traffic, signal, targets, objectsOf } = options;
  let doing = "sending";
  const show = () => options.progress({ doing, traffic });
  const context: StepContext = {
    cluster,
    observer,
    traffic,
    signal,
    objectsOf,
    namespace: drill.namespace,
    services: targets.map(({ namespace, service }) => ({ namespace, selector: service.spec.selector ?? {} })),
    lastNode: undefined,
    faultsMade: 0,
    generations: new Map(),
    broken: new Map(),
  };
  const timer = setInterval(() => {
    show();
    observer.look();
  }, PROGRESS_EVERY_MS);
  try {
    const { steps, problem } = await runSteps(context, planSteps(drill.steps, drill.seed), (now) => {
      doing = now;
      show();
    });
    doing = "waiting until the cluster has recovered";
    const settled = await settle(context, drill);
    // Whoever interrupts does not want to wait for the answers of a node that hangs: it is mended first, and they come.
    const early = signal.aborted ? await healAll(context) : [];
    const result = await traffic.stop();
    doing = "taking back what is still broken";
    const healed = [...early, ...(await healAll(context))];
    const trouble = problem ?? settled;
    return buildReport({ drill, cluster: cluster.name, seed: drill.seed }, result, {
      steps,
      timeline: observer.timeline,
      healed,
      interrupted: signal.aborted,
      ...(trouble === undefined ? {} : { problem: trouble }),
      orphans: drill.expect.noOrphans ? await orphansOf(cluster) : [],
      unfinished: (drill.expect.rolledOut ?? []).filter((target) => !isFinished(context, target)),
    });
  } finally {
    clearInterval(timer);
    await traffic.stop().catch(() => {});
    await healAll(context);
  }
}

/** What is wrong where the cluster does not recover. */
async function settle(context: StepContext, drill: Drill): Promise<string | undefined> {
  const { observer, traffic, signal } = context;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(drill.settle)]);
  const isDone = await observer.until(() => hasRecovered(context), limit);
  await systemClock.sleep(Math.max(traffic.startedAt + drill.duration - systemClock.now(), 0), signal);
  if (isDone || signal.aborted) return undefined;
  return `the cluster had not recovered ${drill.settle / 1_000} s after the last step`;
}

function isFinished(context: StepContext, target: string): boolean {
  try {
    return isRolledOut(context, target);
  } catch {
    return false;
  }
}

/** Newest first; what cannot be healed is said, and the rest is healed all the same. */
async function healAll(context: StepContext): Promise<string[]> {
  const healed: string[] = [];
  for (const [key, { healed: said, heal }] of [...context.broken].reverse()) {
    context.broken.delete(key);
    try {
      await heal();
      healed.push(said);
      context.observer.note("step", `in the end: ${said}`);
    } catch (error) {
      healed.push(`could not ${key}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return healed;
}

async function orphansOf(cluster: DrillCluster): Promise<readonly number[]> {
  const { supervisor } = await insist(() => statusOf(cluster));
  const deadline = systemClock.now() + ORPHANS_GONE_WITHIN_MS;
  for (;;) {
    const found = findOrphans(cluster.dataDir, supervisor.pid);
    if (found.length === 0 || systemClock.now() > deadline) return found;
    await systemClock.sleep(POLL_MS);
  }
}
