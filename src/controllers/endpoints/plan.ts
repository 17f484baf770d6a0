// Pure: what a Service's Endpoints must say. Kubernetes' rules (endpoints_controller.go, api/v1/endpoints RepackSubsets):
// addresses that serve the same ports share a subset, and each address is in a subset once, ready or not.
import type {
  EndpointAddress,
  EndpointPort,
  EndpointSubset,
  Pod,
  Service,
} from "../../api/generated/types.ts";
import { targetPortOf } from "../../api/pod-ports.ts";
import { isPodReady } from "../../api/pod-status.ts";
import { hostnameIn, isHeadless } from "../runtime/service-pods.ts";

/** More than this many addresses are cut off, not-ready ones first, and the annotation says so. */
export const CAPACITY = 1000;

export interface EndpointsPlan {
  readonly subsets: readonly EndpointSubset[];
  readonly overCapacity: boolean;
}

/** `behind`: the pods that the Service selects and that have an address. */
export function planEndpoints(
  service: Readonly<Service>,
  behind: readonly Readonly<Pod>[],
  capacity = CAPACITY,
): EndpointsPlan {
  const unready = service.spec.publishNotReadyAddresses === true;
  const members = behind
    .filter((pod) => unready || !pod.metadata.deletionTimestamp)
    .map((pod) => ({ address: addressOf(pod, service), ready: unready || isPodReady(pod), pod }))
    .map((member) => ({ ...member, ports: portsOf(member.pod, service) }))
    .filter(({ ports }) => ports.length > 0 || isPortless(service));
  const ready = members.filter((member) => member.ready);
  const notReady = members.filter((member) => !member.ready);
  const kept = [...ready, ...notReady].slice(0, capacity);
  return { subsets: pack(kept), overCapacity: members.length > capacity };
}

interface Member {
  readonly address: EndpointAddress;
  readonly ready: boolean;
  readonly ports: readonly EndpointPort[];
}

// A headless Service may have no ports at all: then its endpoints are bare addresses.
const isPortless = (service: Readonly<Service>): boolean =>
  isHeadless(service) && (service.spec.ports ?? []).length === 0;

function addressOf(pod: Readonly<Pod>, service: Readonly<Service>): EndpointAddress {
  const { namespace, name, uid } = pod.metadata;
  const hostname = hostnameIn(pod, service);
  return {
    ...(hostname ? { hostname } : {}),
    ip: pod.status?.podIP ?? "",
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: "Pod", ...(namespace ? { namespace } : {}), name, uid },
  };
}

/** Where the pod listens for each of the Service's ports; a port whose name the pod does not have is left out. */
function portsOf(pod: Readonly<Pod>, service: Readonly<Service>): readonly EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((servicePort) => {
    const port = targetPortOf(pod, servicePort);
    if (port === undefined) return [];
    const { name, protocol = "TCP", appProtocol } = servicePort;
    return [{ ...(name ? { name } : {}), port, protocol, ...(appProtocol ? { appProtocol } : {}) }];
  });
}

function pack(members: readonly Member[]): readonly EndpointSubset[] {
  const groups = new Map<string, Member[]>();
  for (const member of members) {
    const key = JSON.stringify(member.ports);
    const group = groups.get(key);
    if (group) group.push(member);
    else groups.set(key, [member]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => {
      const addresses = inOrder(group.filter(({ ready }) => ready));
      const notReadyAddresses = inOrder(group.filter(({ ready }) => !ready));
      const ports = group[0]?.ports ?? [];
      return {
        ...(addresses.length > 0 ? { addresses } : {}),
        ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
        ...(ports.length > 0 ? { ports: [...ports] } : {}),
      };
    });
}

function inOrder(members: readonly Member[]): EndpointAddress[] {
  const order = ({ ip, targetRef }: EndpointAddress) => `${ip} ${targetRef?.uid}`;
  return members.map(({ address }) => address).sort((a, b) => (order(a) < order(b) ? -1 : 1));
}
