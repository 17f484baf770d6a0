// What a container's /etc/resolv.conf, hosts and hostname say. Pure; the rules are the kubelet's (network/dns, ensureHostsFile).
import type { Pod } from "../../../src/api/generated/types.ts";
import { CLUSTER_DOMAIN } from "../../../src/base/cluster-dns.ts";

export interface DnsFacts {
  /** The ClusterIP of the cluster's DNS. */
  readonly clusterDns: string;
  /** The machine's own resolv.conf. */
  readonly machine: string;
}

interface ResolvConf {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** The resolv.conf of a pod's containers. */
export function resolvConf(pod: Readonly<Pod>, { clusterDns, machine }: DnsFacts): string {
  const { dnsPolicy = "ClusterFirst", hostNetwork, dnsConfig } = pod.spec ?? {};
  const usesCluster =
    dnsPolicy === "ClusterFirstWithHostNet" || (dnsPolicy === "ClusterFirst" && !hostNetwork);
  const own = parse(machine);
  const base: ResolvConf = usesCluster
    ? { servers: [clusterDns], search: [...clusterSearch(pod), ...own.search], options: ["ndots:5"] }
    : dnsPolicy === "None"
      ? { servers: [], search: [], options: [] }
      : own;
  const servers = unique([...base.servers, ...(dnsConfig?.nameservers ?? [])]);
  const search = unique([...base.search, ...(dnsConfig?.searches ?? [])]);
  const options = mergeOptions(base.options, dnsConfig?.options ?? []);
  return [
    ...(search.length > 0 ? [`search ${search.join(" ")}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
    "",
  ].join("\n");
}

const clusterSearch = (pod: Readonly<Pod>) => [
  `${pod.metadata.namespace}.svc.${CLUSTER_DOMAIN}`,
  `svc.${CLUSTER_DOMAIN}`,
  CLUSTER_DOMAIN,
];

const unique = (values: readonly string[]) => [...new Set(values)];

/** A pod's option replaces the one of the same name. */
function mergeOptions(
  base: readonly string[],
  own: readonly { readonly name?: string; readonly value?: string }[],
): string[] {
  const merged = new Map(base.map((option) => [option.split(":")[0] ?? "", option]));
  for (const { name = "", value } of own) merged.set(name, value === undefined ? name : `${name}:${value}`);
  return [...merged.values()];
}

function parse(text: string): ResolvConf {
  const lines = text.split("\n").map((line) => line.trim().split(/\s+/));
  const of = (keyword: string) => lines.filter(([first]) => first === keyword);
  return {
    servers: of("nameserver").flatMap(([, server]) => server ?? []),
    // The last list counts.
    search: of("search").at(-1)?.slice(1) ?? [],
    options: of("options").flatMap(([, ...options]) => options),
  };
}

/** The hosts file of a pod's containers. */
export function hostsFile(pod: Readonly<Pod>, podIP: string): string {
  const names = [fullHostname(pod), hostnameOf(pod)].filter((name): name is string => name !== undefined);
  const aliases = (pod.spec?.hostAliases ?? []).map(
    ({ ip, hostnames }) => `${ip}\t${(hostnames ?? []).join("\t")}\n`,
  );
  return [
    "# Kubernetes-managed hosts file.\n",
    "127.0.0.1\tlocalhost\n",
    "::1\tlocalhost ip6-localhost ip6-loopback\n",
    "fe00::0\tip6-localnet\n",
    "fe00::0\tip6-mcastprefix\n",
    "fe00::1\tip6-allnodes\n",
    "fe00::2\tip6-allrouters\n",
    `${podIP}\t${names.join("\t")}\n`,
    ...(aliases.length > 0 ? ["\n# Entries added by HostAliases.\n", ...aliases] : []),
  ].join("");
}

const shortHostname = (pod: Readonly<Pod>) =>
  pod.spec?.hostname ?? pod.metadata.name.slice(0, 63).replace(/[-.]+$/, "");

/** `web-0.nginx.default.svc.cluster.local`; undefined for a pod without a subdomain. */
export function fullHostname(pod: Readonly<Pod>): string | undefined {
  const subdomain = pod.spec?.subdomain;
  if (!subdomain) return undefined;
  return `${shortHostname(pod)}.${subdomain}.${pod.metadata.namespace}.svc.${CLUSTER_DOMAIN}`;
}

/** What the pod's processes take for the machine's name. */
export function hostnameOf(pod: Readonly<Pod>): string {
  return (pod.spec?.setHostnameAsFQDN && fullHostname(pod)) || shortHostname(pod);
}
