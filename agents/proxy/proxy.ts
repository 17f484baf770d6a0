// Watches Services, EndpointSlices and Nodes and keeps the listening sockets and their endpoints in line with them. From the same picture the
// cluster's DNS is answered (docs/decisions/0004-cluster-dns.md).
// Before the first lists are in nothing is opened or closed: the sockets of an earlier worker go on in the supervisor's hands.
import { isDeepStrictEqual } from "node:util";
import type { EndpointSlice, Service } from "../../src/api/generated/types.ts";
import { endpointSlices } from "../../src/api/kinds/endpoint-slice.ts";
import { faults } from "../../src/api/kinds/fault.ts";
import { nodes } from "../../src/api/kinds/node.ts";
import { services } from "../../src/api/kinds/service.ts";
import { SERVICE_NAME } from "../../src/api/names.ts";
import { keyOf } from "../../src/api/object.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { DnsPlace } from "../../src/base/cluster-dns.ts";
import type { Log } from "../../src/base/log.ts";
import type { Client } from "../../src/client/client.ts";
import { createInformers } from "../../src/client/informers.ts";
import { createRecorder } from "../../src/client/recorder.ts";
import type { BalancerOptions } from "./balancer.ts";
import type { DnsServer } from "./dns/server.ts";
import { createZoneSource } from "./dns/source.ts";
import { createFaultTable } from "./fault-table.ts";
import { createIngressServer } from "./ingress/ingress.ts";
import { createListeners } from "./listeners.ts";
import type { KernelPaths } from "./nftables/kernel-paths.ts";
import { createNodeLookup, nodeAddressOf } from "./node-places.ts";
import type { SocketSource } from "./open-socket.ts";
import { createReleasedPods } from "./released-pods.ts";
import { type Frontend, type NodeAddress, planFrontends, type TableSettings } from "./service-table.ts";
import { createTraffic } from "./traffic.ts";
import { startTrafficServer, type TrafficServer } from "./traffic-server.ts";

export interface ProxyOptions {
  readonly settings: TableSettings & {
    readonly worker: number;
    /** How many workers share the sockets. */
    readonly workers: number;
    /** Tells node agents which ending pods get no new connections any more. */
    readonly acknowledge: boolean;
    /** Changes of endpoints are acted on this much later. */
    readonly endpointLagMs: number;
  };
  readonly client: Client;
  readonly sockets: SocketSource;
  readonly clock: Clock;
  readonly log: Log;
  /** Where the cluster's DNS is to be served; absent: not here. */
  readonly dns?: DnsPlace;
  /** Where the kernel balances what it can; absent: every connection goes through this process. */
  readonly kernel?: KernelPaths | undefined;
}

export interface ServiceProxy {
  /** Resolves when the Services that existed at the start are served. */
  readonly ready: Promise<void>;
  /** Connections under way now. */
  connections(): number;
  stop(): Promise<void>;
}

const BY_SERVICE = "service";

export function startProxy(options: ProxyOptions): ServiceProxy {
  const { settings, client, sockets, clock, log, dns, kernel } = options;
  const informers = createInformers(client, { log, clock });
  const serviceLister = informers.of(services);
  const sliceLister = informers.of(endpointSlices);
  const nodeLister = informers.of(nodes);
  sliceLister.addIndex(BY_SERVICE, (slice) => serviceKeyOf(slice) ?? []);
  const zone = createZoneSource(serviceLister, sliceLister, BY_SERVICE);
  const faultLister = informers.of(faults);
  let dnsServer: DnsServer | undefined;
  const recorder = createRecorder(client, { component: "kube-proxy", clock });

  let nodeAddresses: readonly NodeAddress[] = [];
  let nodeOf = createNodeLookup([]);
  const faultTable = createFaultTable(clock);

  // With a lag: the slices as they were that long ago.
  const past = new Map<string, readonly Readonly<EndpointSlice>[]>();
  // What the frontends follow now, and how often a change without a lag has overtaken those with one.
  const applied = new Map<string, readonly Readonly<EndpointSlice>[]>();
  const turns = new Map<string, number>();
  const turnOf = (key: string) => turns.get(key) ?? 0;
  const stateOf = (key: string) => ({
    service: serviceLister.get(key),
    slices: past.get(key) ?? sliceLister.byIndex(BY_SERVICE, key),
  });
  const traffic = createTraffic(() => clock.now());
  let trafficServer: TrafficServer | undefined;
  const balancing: BalancerOptions = {
    clock,
    traffic,
    workersOf: () => settings.workers,
    nodeOf: (address) => nodeOf(address),
    faultOf: (frontend, backend) => faultTable.faultOf(frontend.service, backend),
    // Half of a small Service's endpoints apart.
    firstTurn: settings.worker,
  };
  const ingress = createIngressServer({ informers, stateOf, balancing, log });

  // Which client belongs where is remembered by one process: another would give a client that it does not know one of the endpoints
  // that have come since. While that process is away connections wait in the socket's queue. Where the kernel balances it is the one that
  // remembers, and each worker has all in its table.
  const isShared = ({ affinityMs }: Frontend) => affinityMs === 0 || kernel !== undefined;
  const isOwn = (frontend: Frontend) => settings.worker === 0 || isShared(frontend);

  const listeners = createListeners({
    ...balancing,
    workersOf: (frontend) => (isShared(frontend) ? settings.workers : 1),
    sockets,
    serveIngress: ingress.serve,
    onOpen: () => void followInKernel(),
    onProblem(serviceKey, frontend, code) {
      const { host, port } = frontend;
      log.warn({ service: serviceKey, host, port, code }, "cannot listen for service");
      const service = serviceLister.get(serviceKey);
      // Every worker meets the same problem; one says so.
      if (service && settings.worker === 0)
        recorder.event(
          { ...service, apiVersion: "v1", kind: "Service" },
          "Warning",
          "FailedToListen",
          listenProblem(frontend, code),
        );
    },
  });

  const released = createReleasedPods({
    client,
    clock,
    log,
    name: `proxy-${settings.worker}`,
    status: () => ({ pid: process.pid, ...(trafficServer ? { address: trafficServer.address } : {}) }),
    acknowledge: settings.acknowledge && settings.endpointLagMs === 0,
  });

  // What a fault concerns has to come through this process.
  const isSound = (frontend: Frontend) =>
    !frontend.backends.some((backend) => faultTable.faultOf(frontend.service, backend));
  const followInKernel = async () => kernel?.apply(listeners.served().filter(isSound));

  const dirty = new Set<string>();
  let synced = false;
  let scheduled = false;

  const flush = () => {
    scheduled = false;
    const keys = [...dirty];
    dirty.clear();
    const followed: [string, readonly Readonly<EndpointSlice>[]][] = [];
    for (const key of keys) {
      const { service, slices } = stateOf(key);
      const frontends = service ? planFrontends(service, slices, { settings, nodes: nodeAddresses }) : [];
      listeners.set(key, frontends.filter(isOwn));
      applied.set(key, slices);
      ingress.follow(key);
      followed.push([key, slices]);
    }
    const acknowledge = () => {
      for (const [key, slices] of followed) released.applied(key, slices);
    };
    if (kernel) void followInKernel().then(acknowledge);
    else acknowledge();
  };
  // One pass for all the events of a chunk, in the same turn of the event loop.
  const markDirty = (key: string) => {
    dirty.add(key);
    if (!synced || scheduled) return;
    scheduled = true;
    queueMicrotask(flush);
  };

  serviceLister.onChange((after, before) => markDirty(keyOf((after ?? before) as Service)));
  const followSlices = (key: string) => {
    const lagMs = Math.max(settings.endpointLagMs, faultTable.endpointLagOf(key));
    if (lagMs === 0 || !synced) {
      // What an earlier lag still holds back is older than this.
      turns.set(key, turnOf(key) + 1);
      past.delete(key);
      return markDirty(key);
    }
    const slices = sliceLister.byIndex(BY_SERVICE, key);
    const turn = turnOf(key);
    if (!past.has(key)) past.set(key, applied.get(key) ?? slices);
    // Nobody waits for a proxy that is slow on purpose.
    if (settings.endpointLagMs === 0) released.applied(key, slices);
    clock.after(lagMs, () => {
      if (turnOf(key) !== turn) return;
      past.set(key, slices);
      markDirty(key);
    });
  };
  sliceLister.onChange((after, before) => {
    const keys = new Set([after, before].flatMap((slice) => (slice ? serviceKeyOf(slice) : [])));
    for (const key of keys) followSlices(key);
  });
  nodeLister.onChange((after, before) => {
    if (after && before && isDeepStrictEqual(nodeAddressOf(after), nodeAddressOf(before))) return;
    nodeAddresses = nodeLister.list().flatMap((node) => nodeAddressOf(node) ?? []);
    nodeOf = createNodeLookup(nodeAddresses);
    for (const service of serviceLister.list()) if (knowsNodes(service)) markDirty(keyOf(service));
  });
  faultLister.onChange(() => {
    faultTable.set(faultLister.list());
    if (!synced) return;
    listeners.refreshFaults();
    ingress.refreshFaults();
    void followInKernel();
  });

  const start = async () => {
    await informers.synced();
    synced = true;
    flush();
    await Promise.all([listeners.settled(), dns && serveDns(dns), serveTraffic()]);
    await followInKernel();
    await released.announce();
  };
  const serveTraffic = async () => {
    trafficServer = await startTrafficServer(traffic);
  };
  const serveDns = async (place: DnsPlace) => {
    const { startDnsServer } = await import("./dns/server.ts");
    dnsServer = startDnsServer({ source: zone, place, settings, sockets, clock, log });
    await dnsServer.ready;
  };

  return {
    ready: start(),
    connections: () => listeners.connections(),
    async stop() {
      dnsServer?.stop();
      trafficServer?.stop();
      released.stop();
      await Promise.all([informers.stop(), listeners.stop(), kernel?.stop()]);
    },
  };
}

function serviceKeyOf(slice: Readonly<EndpointSlice>): string[] {
  const name = slice.metadata.labels?.[SERVICE_NAME];
  return name ? [`${slice.metadata.namespace}/${name}`] : [];
}

/** Whether its frontends depend on which nodes there are. */
const knowsNodes = ({ spec }: Readonly<Service>) =>
  spec.internalTrafficPolicy === "Local" ||
  spec.trafficDistribution !== undefined ||
  (spec.ports ?? []).some(({ nodePort }) => nodePort);

const PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EMFILE: "too many open files",
};

function listenProblem({ host, port }: Frontend, code: string): string {
  return `Cannot listen on ${host}:${port}: ${PROBLEMS[code] ?? code}; trying again`;
}
