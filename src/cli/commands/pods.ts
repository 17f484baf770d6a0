import type { Pod } from "../../api/generated/types.ts";
import { pods as podResource } from "../../api/kinds/pod.ts";
import { portMapOf } from "../../api/pod-ports.ts";
import type { Invocation } from "../command.ts";
import { print, withClient } from "../connect.ts";
import { formatTable } from "../table.ts";

/** A line of `kubemu pods -o json`. `pid` is 0 for a container without a process. */
export interface PodView {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly ip: string;
  readonly containers: readonly {
    readonly name: string;
    readonly pid: number;
    readonly ports: readonly number[];
  }[];
}

export async function pods(invocation: Invocation): Promise<number> {
  const { items } = await withClient(invocation, (client) => client.list(podResource));
  print(invocation, items.map(viewPod), (views) =>
    formatTable([
      ["NAMESPACE", "POD", "NODE", "ADDRESS", "CONTAINER", "PID", "PORTS"],
      ...views.flatMap(({ namespace, name, node, ip, containers }) =>
        containers.map((container) => [
          namespace,
          name,
          node || "-",
          ip || "-",
          container.name,
          container.pid ? String(container.pid) : "-",
          container.ports.join(",") || "-",
        ]),
      ),
    ]),
  );
  return 0;
}

/** What a user needs of a pod to curl it or to kill it: the ports are those its process really listens on. */
export function viewPod(pod: Pod): PodView {
  const mapped = portMapOf(pod);
  return {
    namespace: pod.metadata.namespace ?? "",
    name: pod.metadata.name,
    node: pod.spec.nodeName ?? "",
    ip: pod.status?.podIP ?? "",
    containers: pod.spec.containers.map(({ name, ports = [] }) => ({
      name,
      pid: pidOf(pod, name),
      ports: ports.map(({ containerPort }) => mapped[containerPort] ?? containerPort),
    })),
  };
}

function pidOf(pod: Pod, container: string): number {
  const status = pod.status?.containerStatuses?.find(({ name }) => name === container);
  return status?.state?.running ? Number(/^process:\/\/(\d+)/.exec(status.containerID ?? "")?.[1] ?? 0) : 0;
}
