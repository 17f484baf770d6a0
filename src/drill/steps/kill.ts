// SIGKILL for processes of the cluster: containers, and the cluster's own programs. A pid is signalled only if it carries the cluster's marker.
import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { hasReason } from "../../api/status-error.ts";
import { systemClock } from "../../base/clock.ts";
import { identityOf, isAlive, signalProcess } from "../../process/identity.ts";
import { findMarked } from "../../process/sweep.ts";
import { insist, statusOf } from "../cluster.ts";
import { faultAt, type Recovery } from "../observe/recovery.ts";
import type { PodSeen } from "../observe/world.ts";
import { pickSome } from "../random.ts";
import { preciseNow } from "../traffic/protocol.ts";
import { choosePods } from "./choose.ts";
import type { StepContext } from "./context.ts";
import type { Performed } from "./perform.ts";

const POLL_MS = 5;
const BACK_WITHIN_MS = 60_000;

/** Kills whole pods (whose objects are deleted, as when nobody can start them again), or their first container only. */
export async function killPods(
  context: StepContext,
  { target, whole, count, draw }: { target: string; whole: boolean; count: number; draw: number },
): Promise<Performed> {
  const { cluster, observer } = context;
  const victims = await choosePods(context, target, { count, draw });
  const objects = await Promise.all(victims.map((pod) => insist(() => cluster.client.find(pods, pod))));
  const own = new Set(findMarked({ KUBEMU_CLUSTER: cluster.dataDir }));
  const pids = objects.flatMap((pod) => pidsOf(pod).slice(0, whole ? undefined : 1));
  const tracked = observer.track(faultAt(preciseNow(), observer.world(), victims));
  for (const pid of pids) {
    const identity = own.has(pid) ? identityOf(pid) : undefined;
    if (identity) signalProcess(identity, "SIGKILL", { group: true });
  }
  if (whole) await Promise.all(victims.map((pod) => forget(context, pod)));
  return {
    text: `killed ${victims.map(({ name }) => name).join(", ")}`,
    fault: tracked,
  };
}

/** Deletes the object without waiting for anything. One that is gone already is fine. */
async function forget({ cluster }: StepContext, pod: PodSeen): Promise<void> {
  await insist(async () => {
    try {
      await cluster.client.delete(pods, pod, {
        gracePeriodSeconds: 0,
        preconditions: { uid: pod.uid },
      });
    } catch (error) {
      if (!hasReason(error, "NotFound") && !hasReason(error, "Conflict")) throw error;
    }
  });
}

function pidsOf(pod: Readonly<Pod> | undefined): number[] {
  return (pod?.status?.containerStatuses ?? []).flatMap(({ containerID, state }) =>
    state?.running ? Number(/^process:\/\/(\d+)/.exec(containerID ?? "")?.[1] ?? 0) || [] : [],
  );
}

/** The control plane, or so many of the proxy's processes. Resolves when it is dead; `recovery.back` comes later. */
export async function killProgram(
  context: StepContext,
  { program, count, draw }: { program: "control-plane" | "proxy"; count: number; draw: number },
): Promise<Performed> {
  const { cluster, observer } = context;
  const { controlPlane, proxy } = await statusOf(cluster);
  const pids = program === "proxy" ? pickSome(proxy.workers, count, draw) : [controlPlane.pid];
  const own = new Set(findMarked({ KUBEMU_CLUSTER: cluster.dataDir }));
  const identities = pids.flatMap((pid) => (own.has(pid) ? (identityOf(pid) ?? []) : []));
  const tracked = observer.track(faultAt(preciseNow(), observer.world(), []));
  for (const identity of identities) signalProcess(identity, "SIGKILL");
  const isBack = async () => {
    const now = await statusOf(cluster);
    if (program === "proxy")
      return now.proxy.workers.length === proxy.workers.length && !now.proxy.workers.some(isOld);
    if (now.controlPlane.pid === 0 || isOld(now.controlPlane.pid)) return false;
    return (await cluster.client.transport.request({ method: "GET", path: "/readyz" })).status === 200;
  };
  const isOld = (pid: number) => identities.some((each) => each.pid === pid);
  void awaitBack(context, { tracked, isBack });
  if (identities.some(isAlive)) await systemClock.sleep(POLL_MS);
  return {
    text: `killed ${program} (pid ${pids.join(", ")})`,
    fault: tracked,
  };
}

async function awaitBack(
  { observer, signal }: StepContext,
  {
    tracked,
    isBack,
  }: { tracked: { fault: { at: number }; recovery: Recovery }; isBack: () => Promise<boolean> },
): Promise<void> {
  const deadline = preciseNow() + BACK_WITHIN_MS;
  while (preciseNow() < deadline && !signal.aborted) {
    if (await isBack().catch(() => false)) {
      tracked.recovery.back = preciseNow() - tracked.fault.at;
      observer.look();
      return;
    }
    await systemClock.sleep(POLL_MS, signal);
  }
}
