// Where a cluster's DNS server is and what it is called: agreed on by the proxy (which runs it), the API server (which
// announces it) and the node agents (which tell their containers).

export const CLUSTER_DOMAIN = "cluster.local";
export const DNS_PORT = 53;
/** What stands in for port 53 where that may not be bound: the same rule as for containers' ports. */
export const UNPRIVILEGED_DNS_PORT = 10_053;

export interface DnsPlace {
  /** The ClusterIP of the Service kube-dns: what resolv.conf says. */
  readonly clusterIP: string;
  /** Where the server listens, UDP and TCP: always reachable. */
  readonly host: string;
  readonly port: number;
}

/** `dnsPort`: where `host` serves it. */
export function dnsPlace(settings: {
  readonly slot: number;
  readonly singleAddress: boolean;
  readonly dnsPort: number;
}): DnsPlace {
  const { slot, singleAddress, dnsPort: port } = settings;
  return singleAddress
    ? { clusterIP: "10.96.0.10", host: "127.0.0.1", port }
    : { clusterIP: `127.${slot}.192.10`, host: `127.${slot}.255.253`, port };
}
