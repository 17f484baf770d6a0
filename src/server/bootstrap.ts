// What a cluster has from its first moment: the system's namespaces, priority classes and storage class, and the Service through which pods
// find the API. Run at every start; what is there already is left alone or, for the API's address, corrected.
import { isDeepStrictEqual } from "node:util";
import type {
  EndpointSlice,
  Endpoints,
  IngressClass,
  PriorityClass,
  Service,
  StorageClass,
} from "../api/generated/types.ts";
import { INGRESS_CLASS, INGRESS_CONTROLLER } from "../api/ingress-service.ts";
import { endpointSlices } from "../api/kinds/endpoint-slice.ts";
import { endpoints } from "../api/kinds/endpoints.ts";
import { DEFAULT_INGRESS_CLASS, ingressClasses } from "../api/kinds/ingress-class.ts";
import { namespaces } from "../api/kinds/namespace.ts";
import { priorityClasses } from "../api/kinds/priority-class.ts";
import { services } from "../api/kinds/service.ts";
import { storageClasses } from "../api/kinds/storage-class.ts";
import { DEFAULT_CLASS, DIRECTORY_PROVISIONER } from "../api/names.ts";
import type { Draft, KubeObject } from "../api/object.ts";
import { apiVersionOf, pathOf, type Resource } from "../api/resource.ts";
import { StatusError } from "../api/status-error.ts";
import { DNS_PORT, type DnsPlace } from "../base/cluster-dns.ts";
import type { Transport } from "../client/transport.ts";
import { apiServiceAddress } from "./admission/service-addresses.ts";
import type { ClusterAddresses } from "./context.ts";

const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];
const PRIORITY_CLASSES: readonly Draft<PriorityClass>[] = [
  {
    metadata: { name: "system-cluster-critical" },
    value: 2_000_000_000,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
  {
    metadata: { name: "system-node-critical" },
    value: 2_000_001_000,
    description: "Used for system critical pods that must not be moved from their current node.",
  },
];

// Immediate, as minikube's: a directory belongs to no node, so nothing is gained by waiting for a pod, and a claim is Bound
// when a tutorial shows it.
const STANDARD_CLASS: Draft<StorageClass> = {
  metadata: { name: "standard", annotations: { [DEFAULT_CLASS]: "true" } },
  provisioner: DIRECTORY_PROVISIONER,
  reclaimPolicy: "Delete",
  volumeBindingMode: "Immediate",
  allowVolumeExpansion: true,
};

const KUBEMU_CLASS: Draft<IngressClass> = {
  metadata: { name: INGRESS_CLASS, annotations: { [DEFAULT_INGRESS_CLASS]: "true" } },
  spec: { controller: INGRESS_CONTROLLER },
};

export async function bootstrap(
  transport: Transport,
  { addresses, port, dns }: { addresses: ClusterAddresses; port: number; dns?: DnsPlace | undefined },
): Promise<void> {
  // All at once: they share one commit, but for what lies in the namespaces.
  await Promise.all([
    ...NAMESPACES.map((name) => ensure(transport, namespaces, { metadata: { name } })),
    ...PRIORITY_CLASSES.map((draft) => ensure(transport, priorityClasses, draft)),
    ensure(transport, storageClasses, STANDARD_CLASS),
    ensure(transport, ingressClasses, KUBEMU_CLASS),
  ]);
  const metadata = {
    name: "kubernetes",
    namespace: "default",
    labels: { component: "apiserver", provider: "kubernetes" },
  };
  const service: Draft<Service> = {
    metadata,
    spec: {
      clusterIP: apiServiceAddress(addresses),
      type: "ClusterIP",
      ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: port }],
    },
  };
  await Promise.all([
    ensure(transport, services, service, (existing, wanted) => {
      existing.spec.ports = wanted.spec?.ports as Service["spec"]["ports"];
    }),
    ensure(transport, endpoints, endpointsOf(port), (existing, wanted) => {
      existing.subsets = wanted.subsets as Endpoints["subsets"];
    }),
    ensure(transport, endpointSlices, sliceOf(port), (existing, wanted) => {
      existing.endpoints = wanted.endpoints as EndpointSlice["endpoints"];
      existing.ports = wanted.ports as EndpointSlice["ports"];
    }),
    ...(dns ? announceDns(transport, dns) : []),
  ]);
}

const DNS_LABELS = {
  "k8s-app": "kube-dns",
  // By these `kubectl cluster-info` finds and names it.
  "kubernetes.io/cluster-service": "true",
  "kubernetes.io/name": "CoreDNS",
};

/** The Service kube-dns, with the proxy's DNS server as its endpoint: no pod runs it, so it has no selector. */
function announceDns(transport: Transport, { clusterIP, host, port }: DnsPlace): Promise<void>[] {
  const metadata = { name: "kube-dns", namespace: "kube-system", labels: DNS_LABELS };
  const names = [
    { name: "dns", protocol: "UDP" },
    { name: "dns-tcp", protocol: "TCP" },
  ];
  const ports = names.map((each) => ({ ...each, port }));
  const service: Draft<Service> = {
    metadata,
    spec: {
      clusterIP,
      type: "ClusterIP",
      ports: names.map((each) => ({ ...each, port: DNS_PORT, targetPort: port })),
    },
  };
  const listed: Draft<Endpoints> = {
    metadata: { ...metadata, labels: { ...DNS_LABELS, "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: [{ addresses: [{ ip: host }], ports }],
  };
  const slice: Draft<EndpointSlice> = {
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": "kube-dns" } },
    addressType: "IPv4",
    endpoints: [{ addresses: [host], conditions: { ready: true } }],
    ports,
  };
  return [
    ensure(transport, services, service, (existing, wanted) => {
      existing.spec.ports = wanted.spec?.ports as Service["spec"]["ports"];
    }),
    ensure(transport, endpoints, listed, (existing, wanted) => {
      existing.subsets = wanted.subsets as Endpoints["subsets"];
    }),
    ensure(transport, endpointSlices, slice, (existing, wanted) => {
      existing.endpoints = wanted.endpoints as EndpointSlice["endpoints"];
      existing.ports = wanted.ports as EndpointSlice["ports"];
    }),
  ];
}

function endpointsOf(port: number): Draft<Endpoints> {
  return {
    metadata: {
      name: "kubernetes",
      namespace: "default",
      // Tells the EndpointSlice mirroring of other implementations that the slice exists.
      labels: { "endpointslice.kubernetes.io/skip-mirror": "true" },
    },
    subsets: [{ addresses: [{ ip: "127.0.0.1" }], ports: [{ name: "https", port, protocol: "TCP" }] }],
  };
}

function sliceOf(port: number): Draft<EndpointSlice> {
  return {
    metadata: {
      name: "kubernetes",
      namespace: "default",
      labels: { "kubernetes.io/service-name": "kubernetes" },
    },
    addressType: "IPv4",
    endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
    ports: [{ name: "https", port, protocol: "TCP" }],
  };
}

/** Creates `draft`; where there is one already, `correct` may change it. */
async function ensure<T extends KubeObject>(
  transport: Transport,
  resource: Resource<T>,
  draft: Draft<T>,
  correct?: (existing: T, wanted: Draft<T>) => void,
): Promise<void> {
  const { namespace, name } = draft.metadata as { namespace?: string; name: string };
  const path = pathOf(resource, { namespace, name });
  const found = await transport.request({ method: "GET", path });
  if (found.status === 404) {
    const body = { ...draft, apiVersion: apiVersionOf(resource), kind: resource.kind };
    const made = await transport.request({ method: "POST", path: pathOf(resource, { namespace }), body });
    if (made.status !== 201) throw new StatusError(made.body as StatusError["status"]);
    return;
  }
  if (!correct) return;
  const corrected = structuredClone(found.body) as T;
  correct(corrected, draft);
  if (isDeepStrictEqual(corrected, found.body)) return;
  const put = await transport.request({ method: "PUT", path, body: corrected });
  if (put.status !== 200) throw new StatusError(put.body as StatusError["status"]);
}
