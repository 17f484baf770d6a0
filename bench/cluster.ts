// What several scenarios need of a running cluster: start it timed, wait for readiness through a watch instead of polling, read
// memory and CPU of its processes.
import { readFileSync } from "node:fs";
import type { Pod } from "../src/api/generated/types.ts";
import { pods } from "../src/api/kinds/pod.ts";
import type { Client } from "../src/client/client.ts";
import { commandOf, processesOf } from "../test/cluster/harness.ts";

export const isReady = (pod: Pod): boolean =>
  !pod.metadata.deletionTimestamp &&
  (pod.status?.conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True");

/** Resolves with the time (performance.now) at which `holds` first held for the pods that match the selector, seen through a watch. */
export async function whenPods(
  client: Client,
  labelSelector: string,
  holds: (pods: Pod[]) => boolean,
): Promise<number> {
  const known = new Map<string, Pod>();
  const ended = new AbortController();
  const list = await client.list(pods, { namespace: "default", labelSelector });
  for (const pod of list.items) known.set(pod.metadata.name, pod as Pod);
  if (holds([...known.values()])) return performance.now();
  return new Promise((resolve, reject) => {
    const watching = client.watch(
      pods,
      {
        namespace: "default",
        labelSelector,
        resourceVersion: list.metadata.resourceVersion,
        signal: ended.signal,
      },
      (event) => {
        const pod = event.object as Pod;
        if (event.type === "DELETED") known.delete(pod.metadata.name);
        else if (event.type === "ADDED" || event.type === "MODIFIED") known.set(pod.metadata.name, pod);
        if (!holds([...known.values()])) return;
        resolve(performance.now());
        ended.abort();
      },
    );
    watching.then(() => reject(new Error("the watch ended early")), reject);
  });
}

/** Kills a pod's first container and asks it, at its own address and port 80, until it answers again. Resolves with the milliseconds. */
export function killAndAwaitAnswer({ status, metadata }: Pod): Promise<number> {
  const mapped = JSON.parse(metadata.annotations?.["kubemu.dev/port-map"] ?? "{}") as Record<string, number>;
  const url = `http://${status!.podIP}:${mapped["80"] ?? 80}/`;
  return killAndAwait(url, Number(status!.containerStatuses![0]!.containerID!.replace("process://", "")));
}

/** Kills what serves `url` and asks until it is answered again. Resolves with the milliseconds. */
export async function killAndAwait(url: string, pid: number): Promise<number> {
  const began = performance.now();
  process.kill(pid, "SIGKILL");
  for (;;) {
    try {
      await fetch(url, { headers: { connection: "close" } });
      return performance.now() - began;
    } catch {
      await new Promise((next) => setTimeout(next, 1));
    }
  }
}

/** Proportional set size of a process in MB; 0 when it is gone. */
export function pssMb(pid: number): number {
  try {
    const line = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
    return Number(line?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** The same of several processes together. */
export const pssMbOf = (pids: readonly number[]): number =>
  pids.map(pssMb).reduce((sum, each) => sum + each, 0);

/** User and system time of a process so far, in seconds (the kernel counts in hundredths). */
export function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

/** The cluster's own processes and its containers (those that carry a pod's marker, or wait to become one). */
export function processesByRole(dataDir: string): { own: number[]; containers: number[] } {
  const own: number[] = [];
  const containers: number[] = [];
  for (const pid of processesOf(dataDir)) {
    (/kubemu\.js|supervisor\.js|control-plane\.js|node-agent\.js|proxy\.js/.test(commandOf(pid))
      ? own
      : containers
    ).push(pid);
  }
  return { own, containers };
}
