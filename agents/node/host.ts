// The agent's side of the node's HTTPS server: which logs, processes and addresses belong to a container.
import type { Pod } from "../../src/api/generated/types.ts";
import { type ProcessTable, readProcessTable, usageOfTrees } from "../../src/process/usage.ts";
import { execIn } from "./containers/exec.ts";
import type { ContainerRun, NodeContext, PodRecord } from "./context.ts";
import type { PodRegistry } from "./pod/registry.ts";
import { podStatus } from "./pod/status.ts";
import type { ContainerUsage, NodeHost } from "./streams/host.ts";

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
      // Unlike Kubernetes: a program may have printed its answer, and ended, before `kubectl run -i` attaches; images and
      // sandboxes cost no time here. So a container with `stdin: true` keeps what it printed for the first who attaches.
      const run = current(pod, container)?.run ?? unheard(recordOf(pod)?.runs.get(container)?.at(-1));
      if (!run) return undefined;
      const { process, log } = run;
      return {
        stdin: process.stdin,
        onOutput: (listener) => log.onOutput(listener),
        ended: log.ended,
        resize: process.resize,
      };
    },
    portAddress(pod, port) {
      const record = recordOf(pod);
      return (
        record && { host: record.state.podIP ?? context.network.nodeIP, port: record.portMap[port] ?? port }
      );
    },
    async usage() {
      const table = await readProcessTable();
      const running = registry().records().flatMap(runningContainers);
      // Unlike Kubernetes: the machine is shared, so a node's use is its agent's and its containers'.
      const all = [process.pid, ...running.map(({ run }) => run.process.pid)];
      return {
        ...usageOfTrees(table, all),
        containers: running.flatMap((container) => containerUsage(table, container)),
      };
    },
  };
}

const unheard = (run: ContainerRun | undefined) => (run?.log.awaitsFirst() ? run : undefined);

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

/** None where it has just ended. */
function containerUsage(table: ProcessTable, { record, name, run }: RunningContainer): ContainerUsage[] {
  const { pid } = run.process;
  if (!table.has(pid)) return [];
  const { namespace = "default", name: pod } = record.pod.metadata;
  return [{ namespace, pod, container: name, ...usageOfTrees(table, [pid]), startedAt: run.startedAt }];
}
