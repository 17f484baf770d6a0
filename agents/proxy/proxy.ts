// Watches Services, EndpointSlices and Nodes and keeps the listening sockets and their endpoints in line with them.
// Before the first lists are in nothing is opened or closed: the sockets of an earlier worker go on in the supervisor's hands.
import type { EndpointSlice, Node, Service } from "../../src/api/generated/types.ts";
import { endpointSlices } from "../../src/api/kinds/endpoint-slice.ts";
import { nodes } from "../../src/api/kinds/node.ts";
import { services } from "../../src/api/kinds/service.ts";
import { SERVICE_NAME } from "../../src/api/names.ts";
import { keyOf } from "../../src/api/object.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { Log } from "../../src/base/log.ts";
import type { Client } from "../../src/client/client.ts";
import { createInformers } from "../../src/client/informers.ts";
import { createRecorder } from "../../src/client/recorder.ts";
import { createListeners } from "./listeners.ts";
import type { SocketSource } from "./open-socket.ts";
import { type Frontend, type NodeAddress, planFrontends, type TableSettings } from "./service-table.ts";

export interface ProxyOptions {
  readonly settings: TableSettings & { readonly worker: number };
  readonly client: Client;
  readonly sockets: SocketSource;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ServiceProxy {
  /** Resolves when the Services that existed at the start are served. */
  readonly ready: Promise<void>;
  /** Connections under way now. */
  connections(): number;
  stop(): Promise<void>;
}

const BY_SERVICE = "service";

export function startProxy({ settings, client, sockets, clock, log }: ProxyOptions): ServiceProxy {
  const informers = createInformers(client, { log, clock });
  const serviceLister = informers.of(services);
  const sliceLister = informers.of(endpointSlices);
  const nodeLister = informers.of(nodes);
  sliceLister.addIndex(BY_SERVICE, (slice) => serviceKeyOf(slice) ?? []);
  const recorder = createRecorder(client, { component: "kube-proxy", clock });

  const listeners = createListeners({
    sockets,
    clock,
    // Half of a small Service's endpoints apart.
    firstTurn: settings.worker,
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

  const dirty = new Set<string>();
  let synced = false;
  let scheduled = false;
  let nodeAddresses: readonly NodeAddress[] = [];

  const flush = () => {
    scheduled = false;
    const keys = [...dirty];
    dirty.clear();
    for (const key of keys) {
      const service = serviceLister.get(key);
      const slices = sliceLister.byIndex(BY_SERVICE, key);
      listeners.set(key, service ? planFrontends(service, slices, { settings, nodes: nodeAddresses }) : []);
    }
  };
  // One pass for all the events of a chunk, in the same turn of the event loop.
  const markDirty = (key: string) => {
    dirty.add(key);
    if (!synced || scheduled) return;
    scheduled = true;
    queueMicrotask(flush);
  };

  serviceLister.onChange((after, before) => markDirty(keyOf((after ?? before) as Service)));
  sliceLister.onChange((after, before) => {
    for (const slice of [after, before]) for (const key of slice ? serviceKeyOf(slice) : []) markDirty(key);
  });
  nodeLister.onChange((after, before) => {
    if (after && before && addressOf(after) === addressOf(before)) return;
    nodeAddresses = nodeLister.list().flatMap((node) => {
      const address = addressOf(node);
      return address ? [{ name: node.metadata.name, address }] : [];
    });
    for (const service of serviceLister.list()) if (hasNodePort(service)) markDirty(keyOf(service));
  });

  const start = async () => {
    await informers.synced();
    synced = true;
    flush();
    await listeners.settled();
  };

  return {
    ready: start(),
    connections: () => listeners.connections(),
    async stop() {
      await Promise.all([informers.stop(), listeners.stop()]);
    },
  };
}

function serviceKeyOf(slice: Readonly<EndpointSlice>): string[] {
  const name = slice.metadata.labels?.[SERVICE_NAME];
  return name ? [`${slice.metadata.namespace}/${name}`] : [];
}

const addressOf = (node: Readonly<Node>): string | undefined =>
  node.status?.addresses?.find(({ type }) => type === "InternalIP")?.address;

const hasNodePort = (service: Readonly<Service>) =>
  (service.spec.ports ?? []).some(({ nodePort }) => nodePort);

const PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EMFILE: "too many open files",
};

function listenProblem({ host, port }: Frontend, code: string): string {
  return `Cannot listen on ${host}:${port}: ${PROBLEMS[code] ?? code}; trying again`;
}
