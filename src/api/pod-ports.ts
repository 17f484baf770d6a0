// Which port of a pod a Service port means, and where the pod's process really listens for it.
import type { Pod, ServicePort } from "./generated/types.ts";
import { PORT_MAP } from "./names.ts";

/** The ports that the pod's processes were told instead of those of its manifest; empty where they are the same. */
export function portMapOf(pod: Readonly<Pod>): Readonly<Record<string, number>> {
  const text = pod.metadata.annotations?.[PORT_MAP];
  if (!text) return {};
  try {
    const map: unknown = JSON.parse(text);
    return typeof map === "object" && map !== null ? (map as Record<string, number>) : {};
  } catch {
    // Written by a user: then nothing is mapped.
    return {};
  }
}

/**
 * The port where the pod's process listens for `servicePort`: its target port, which may name one of the pod's container
 * ports, through the pod's port map. Undefined when the pod has no port of that name and protocol.
 */
export function targetPortOf(pod: Readonly<Pod>, servicePort: ServicePort): number | undefined {
  const target = servicePort.targetPort ?? servicePort.port;
  const port =
    typeof target === "number" ? target || servicePort.port : namedPort(pod, target, servicePort.protocol);
  return port === undefined ? undefined : (portMapOf(pod)[port] ?? port);
}

function namedPort(pod: Readonly<Pod>, name: string, protocol = "TCP"): number | undefined {
  const sidecars = (pod.spec.initContainers ?? []).filter((one) => one.restartPolicy === "Always");
  for (const container of [...pod.spec.containers, ...sidecars])
    for (const port of container.ports ?? [])
      if (port.name === name && (port.protocol ?? "TCP") === protocol) return port.containerPort;
  return undefined;
}
