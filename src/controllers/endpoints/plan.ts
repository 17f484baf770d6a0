// Pure: what a Service's Endpoints must say. Kubernetes' rules (endpoints_controller.go, api/v1/endpoints RepackSubsets):
// ports that lead to the same addresses share a subset. Worked example: a and b listen on 1, b and c on 2, all on 3 → {a b: 1}, {b c: 2}, {a b c: 3}.
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

interface Group {
  readonly ports: EndpointPort[];
  readonly members: readonly Member[];
}

function pack(members: readonly Member[]): readonly EndpointSubset[] {
  const groups = new Map<string, Group>();
  for (const [port, behind] of byPort(members)) {
    const key = behind.map(({ address }) => identity(address)).join();
    const group = groups.get(key) ?? { ports: [], members: behind };
    groups.set(key, group);
    if (port) group.ports.push(JSON.parse(port));
  }
  return [...groups.values()].map(subsetOf).sort((a, b) => (text(a.ports) < text(b.ports) ? -1 : 1));
}

/** Who is behind each port, and under `undefined` who has none. */
function byPort(members: readonly Member[]): ReadonlyMap<string | undefined, Member[]> {
  const found = new Map<string | undefined, Member[]>();
  for (const member of members) {
    const ports = member.ports.length > 0 ? new Set(member.ports.map(text)) : [undefined];
    for (const port of ports) {
      const behind = found.get(port);
      if (behind) behind.push(member);
      else found.set(port, [member]);
    }
  }
  return found;
}

function subsetOf({ ports, members }: Group): EndpointSubset {
  const addresses = inOrder(members.filter(({ ready }) => ready));
  const notReadyAddresses = inOrder(members.filter(({ ready }) => !ready));
  return {
    ...(addresses.length > 0 ? { addresses } : {}),
    ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
    ...(ports.length > 0 ? { ports } : {}),
  };
}

function inOrder(members: readonly Member[]): EndpointAddress[] {
  return members.map(({ address }) => address).sort((a, b) => (identity(a) < identity(b) ? -1 : 1));
}

const identity = ({ ip, targetRef }: EndpointAddress): string => `${ip} ${targetRef?.uid}`;

const text = (ports: EndpointPort | readonly EndpointPort[] = []): string => JSON.stringify(ports);
