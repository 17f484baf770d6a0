// Pure: a Service's endpoints out of its pods, grouped by the ports where they listen (endpointslice/utils.go).
import type { DiscoveryEndpointPort, Endpoint, Node, Pod, Service } from "../../api/generated/types.ts";
import { targetPortOf } from "../../api/pod-ports.ts";
import { isPodReady } from "../../api/pod-status.ts";
import { hostnameIn } from "../runtime/service-pods.ts";
import { type EndpointGroup, portsKey } from "./plan.ts";

export const ZONE = "topology.kubernetes.io/zone";

/** `nodeOf` finds a pod's node; a pod whose node is gone is no endpoint, unless the Service publishes addresses that are not ready. */
export function groupEndpoints(
  service: Readonly<Service>,
  behind: readonly Readonly<Pod>[],
  nodeOf: (name: string) => Readonly<Node> | undefined,
): readonly EndpointGroup[] {
  const groups = new Map<string, { ports: DiscoveryEndpointPort[]; endpoints: Endpoint[] }>();
  for (const pod of behind) {
    const node = nodeOf(pod.spec.nodeName ?? "");
    if (!node && !service.spec.publishNotReadyAddresses) continue;
    const ports = portsOf(pod, service);
    const key = portsKey(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push(endpointOf(pod, service, node));
  }
  return [...groups.values()];
}

function endpointOf(
  pod: Readonly<Pod>,
  service: Readonly<Service>,
  node: Readonly<Node> | undefined,
): Endpoint {
  const { namespace, name, uid, deletionTimestamp } = pod.metadata;
  const serving = isPodReady(pod);
  const terminating = deletionTimestamp !== undefined;
  const hostname = hostnameIn(pod, service);
  const zone = node?.metadata.labels?.[ZONE];
  return {
    addresses: [pod.status?.podIP ?? ""],
    conditions: {
      ready: service.spec.publishNotReadyAddresses === true || (serving && !terminating),
      serving,
      terminating,
    },
    ...(hostname ? { hostname } : {}),
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: "Pod", ...(namespace ? { namespace } : {}), name, uid },
    ...(zone ? { zone } : {}),
    ...hintsOf(service, { ready: serving && !terminating, zone, node: pod.spec.nodeName }),
  };
}

/** Where clients should come from, for a Service that says how its traffic is distributed (endpointslice/trafficdist). */
function hintsOf(
  { spec }: Readonly<Service>,
  { ready, zone, node }: { ready: boolean; zone: string | undefined; node: string | undefined },
): Pick<Endpoint, "hints"> {
  if (!spec.trafficDistribution || !ready) return {};
  const forZones = zone ? { forZones: [{ name: zone }] } : {};
  const sameNode = spec.trafficDistribution === "PreferSameNode" && node;
  const hints = sameNode ? { ...forZones, forNodes: [{ name: node }] } : forZones;
  return Object.keys(hints).length > 0 ? { hints } : {};
}

function portsOf(pod: Readonly<Pod>, service: Readonly<Service>): DiscoveryEndpointPort[] {
  return (service.spec.ports ?? []).flatMap((servicePort) => {
    const port = targetPortOf(pod, servicePort);
    if (port === undefined) return [];
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    return [{ name, port, protocol, ...(appProtocol ? { appProtocol } : {}) }];
  });
}
