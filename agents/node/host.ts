// The agent's side of the node's HTTPS server: which logs, processes and addresses belong to a container.
import { readFile } from "node:fs/promises";
import os from "node:os";
import type { Pod } from "../../src/api/generated/types.ts";
import { execIn } from "./containers/exec.ts";
import type { ContainerRun, NodeContext, PodRecord } from "./context.ts";
import type { PodRegistry } from "./pod/registry.ts";
import { podStatus } from "./pod/status.ts";
import type { ContainerUsage, NodeHost } from "./streams/host.ts";

// USER_HZ, the unit of /proc/PID/stat's times: 100 on every Linux that Node runs on.
const TICKS = 100;

export function createNodeHost(context: NodeContext, registry: () => PodRegistry): NodeHost {
  const recordOf = (pod: Readonly<Pod>) => {
    const record = registry().find(pod.metadata.namespace ?? "default", pod.metadata.name);
    return record?.uid === pod.metadata.uid ? record : undefined;
  };
  const current = (pod: Readonly<Pod>, container: string) => {
    const record = recordOf(pod);
    const state = record?.state.containers.find(({ name }) => name === container);
    const run = record?.runs.get(container)?.at(-1);
    return record && run && state?.running ? { record, run } : undefined;
  };
  return {
    pod(namespace, name) {
      const record = registry().find(namespace, name);
      if (!record) return undefined;
      const { pod, state } = record;
      const status = podStatus({ pod, state, hostIP: context.network.nodeIP, now: context.clock.now() });
      return { ...pod, status: { ...pod.status, ...status } };
    },
    log(pod, container, previous) {
      const runs = recordOf(pod)?.runs.get(container) ?? [];
      const run = previous ? (runs.length > 1 ? runs[0] : undefined) : runs.at(-1);
      return run && { path: run.log.path, ended: run.log.ended };
    },
    async exec(pod, container, command) {
      const target = current(pod, container);
      if (!target) throw Object.assign(new Error(`container not found ("${container}")`), { code: "ESRCH" });
      return await execIn(context, target, command);
    },
    attach(pod, container) {
      const target = current(pod, container);
      if (!target) return undefined;
      const { process, log } = target.run;
      return { stdin: process.stdin, onOutput: (listener) => log.onOutput(listener), exited: process.exited };
    },
    portAddress(pod, port) {
      const record = recordOf(pod);
      return { host: record?.state.podIP ?? context.network.nodeIP, port: record?.portMap[port] ?? port };
    },
    async usage() {
      const running = registry().records().flatMap(runningContainers);
      const containers = await Promise.all(running.map(containerUsage));
      const cpuSeconds = os
        .cpus()
        .reduce((sum, { times }) => sum + (times.user + times.sys + times.nice) / 1000, 0);
      return {
        cpuSeconds,
        memoryBytes: os.totalmem() - os.freemem(),
        containers: containers.filter((usage): usage is ContainerUsage => usage !== undefined),
      };
    },
  };
}

interface RunningContainer {
  readonly record: PodRecord;
  readonly name: string;
  readonly run: ContainerRun;
}

function runningContainers(record: PodRecord): RunningContainer[] {
  return record.state.containers.flatMap(({ name, running }) => {
    const run = record.runs.get(name)?.at(-1);
    return running && run ? [{ record, name, run }] : [];
  });
}

/** The whole process group's use is its leader's and, once they have ended, its children's; undefined where it is gone. */
async function containerUsage({ record, name, run }: RunningContainer): Promise<ContainerUsage | undefined> {
  try {
    const stat = await readFile(`/proc/${run.process.pid}/stat`, "latin1");
    // After the command's closing bracket: state is field 3, utime 14, stime 15, cutime 16, cstime 17, rss 24 (pages).
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + (fields[index] ?? 0), 0);
    return {
      namespace: record.pod.metadata.namespace ?? "default",
      pod: record.pod.metadata.name,
      container: name,
      cpuSeconds: ticks / TICKS,
      memoryBytes: (fields[21] ?? 0) * 4096,
      startedAt: run.startedAt,
    };
  } catch {
    return undefined;
  }
}
