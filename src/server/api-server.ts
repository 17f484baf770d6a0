// Puts the API server together: store, kinds, admission, handler and listener in, a running server and in-process
// transports out. The store is the caller's to open and close.
import type { Server } from "node:net";
import type { KubeObject } from "../api/object.ts";
import type { Registry } from "../api/registry.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import type { DnsPlace } from "../base/cluster-dns.ts";
import type { Log } from "../base/log.ts";
import type { Timing } from "../base/timing.ts";
import type { Transport } from "../client/transport.ts";
import type { Store } from "../store/store.ts";
import { defaultIngressClass } from "./admission/default-ingress-class.ts";
import { defaultTolerations } from "./admission/default-tolerations.ts";
import { limitRanger } from "./admission/limit-ranger.ts";
import { namespaceLifecycle } from "./admission/namespace-lifecycle.ts";
import { priority } from "./admission/priority.ts";
import { createResourceQuotaStep } from "./admission/resource-quota.ts";
import { runtimeClass } from "./admission/runtime-class.ts";
import { serviceAccount } from "./admission/service-account.ts";
import { apiServiceAddress, createServiceAddresses } from "./admission/service-addresses.ts";
import { storage } from "./admission/storage.ts";
import { bootstrap } from "./bootstrap.ts";
import type { ClusterAddresses, ComponentTokens, ServerContext } from "./context.ts";
import { createDocuments } from "./discovery/serve.ts";
import { createHandler } from "./dispatch.ts";
import { startEventExpiry } from "./event-expiry.ts";
import { startListener } from "./http/listener.ts";
import { createInProcessTransport } from "./in-process.ts";
import { createAgentMetrics } from "./metrics/agents.ts";
import { moveAddresses } from "./move-addresses.ts";
import { createRelayReader } from "./relay-reader.ts";
import { createWatches } from "./rest/watch.ts";
import { createStreamRelay } from "./streams/relay.ts";
import { createTokens } from "./tokens.ts";

export interface ApiServerOptions {
  readonly store: Store<KubeObject>;
  readonly registry: Registry;
  /** PEM texts of pki/: ca.crt, server.{crt,key}, kubelet-client.{crt,key}, service-account.key. */
  readonly pki: {
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
    readonly kubeletClientCert: string;
    readonly kubeletClientKey: string;
    readonly serviceAccountKey: string;
  };
  /** A port of 127.0.0.1 (0: any free), or a listening server whose socket is held elsewhere. */
  readonly listen: { readonly port: number } | { readonly server: Server };
  /** A server that listens on a Unix socket, for kubemu's own processes, and how they are known. */
  readonly local?: { readonly server: Server; readonly tokens: ComponentTokens } | undefined;
  readonly addresses: ClusterAddresses;
  /** The DNS server to announce as the Service kube-dns. */
  readonly dns?: DnsPlace;
  readonly timing: Timing;
  readonly log: Log;
  readonly clock?: Clock;
}

export interface ApiServer {
  readonly port: number;
  /** A client's way in without sockets, as that user. */
  transport(user: string, groups?: readonly string[]): Transport;
  /** Ends watches and connections; resolves when the port is free. */
  stop(): Promise<void>;
}

/** Serves the API. Resolves when it answers and the system's namespaces exist. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, registry, addresses, timing, log, pki, clock = systemClock } = options;
  await moveAddresses(store, addresses);
  const serviceAddresses = createServiceAddresses(store, addresses);
  const context: ServerContext = {
    store,
    registry,
    clock,
    log,
    timing,
    addresses,
    admission: [
      namespaceLifecycle,
      limitRanger,
      serviceAccount,
      priority,
      defaultTolerations,
      storage,
      runtimeClass,
      defaultIngressClass,
      serviceAddresses,
      createResourceQuotaStep(store, clock),
    ],
    tokens: createTokens(pki.serviceAccountKey, clock),
    componentTokens: options.local?.tokens,
  };
  let port = 0;
  const watches = createWatches(context);
  const identity = { ca: pki.ca, cert: pki.kubeletClientCert, key: pki.kubeletClientKey };
  const metrics = createAgentMetrics(context, identity);
  const handle = createHandler({
    context,
    watches,
    documents: createDocuments(context, () => port),
    metrics,
  });
  const relay = createStreamRelay({
    reader: createRelayReader(context),
    credentials: identity,
    log,
  });
  const listener = await startListener({
    context,
    handle,
    relay,
    tls: { ca: pki.ca, cert: pki.cert, key: pki.key },
    listen: options.listen,
    local: options.local?.server,
    serviceAddress: apiServiceAddress(addresses),
  });
  port = listener.port;
  const transport = (user: string, groups: readonly string[] = []) =>
    createInProcessTransport(handle, user, groups);
  const own = transport("system:apiserver", ["system:masters"]);
  await bootstrap(own, { addresses, port, dns: options.dns });
  const stopParts = [
    startEventExpiry(context),
    () => serviceAddresses.stop(),
    () => relay.stop(),
    () => metrics.stop(),
    () => watches.stop(),
    () => own.close(),
  ];
  return {
    port,
    transport,
    async stop() {
      for (const stopPart of stopParts) stopPart();
      await listener.stop();
    },
  };
}
