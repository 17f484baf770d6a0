// Serves Ingresses: routes requests to balancers of its own, one for each Service port that some Ingress names, and ends TLS with the
// certificates of Secrets. Secrets are watched only while an Ingress names one.
import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import type { EndpointSlice, Ingress, Secret, Service } from "../../../src/api/generated/types.ts";
import { isServedIngress } from "../../../src/api/ingress-service.ts";
import { ingresses } from "../../../src/api/kinds/ingress.ts";
import { ingressClasses } from "../../../src/api/kinds/ingress-class.ts";
import { secrets } from "../../../src/api/kinds/secret.ts";
import type { Log } from "../../../src/base/log.ts";
import type { InformerFactory } from "../../../src/client/informer.ts";
import { type BalancerOptions, createBalancer } from "../balancer.ts";
import { type HttpSite, serveHttp } from "../http/connection.ts";
import type { HttpTarget } from "../http/exchange.ts";
import { createUpstreamPool } from "../http/upstream.ts";
import { planBackends } from "../service-table.ts";
import { planRoutes, type RouteTable, secretFor } from "./routes.ts";

export interface IngressServer {
  /** Answers requests on a connection that came to an Ingress port. */
  serve(client: Socket, isTls: boolean): void;
  /** The Service or its endpoints have changed. */
  follow(serviceKey: string): void;
  refreshFaults(): void;
}

export interface IngressOptions {
  readonly informers: InformerFactory;
  /** What the Service's connections follow now. */
  readonly stateOf: (key: string) => {
    service: Readonly<Service> | undefined;
    slices: readonly Readonly<EndpointSlice>[];
  };
  readonly balancing: BalancerOptions;
  readonly log: Log;
}

export function createIngressServer({ informers, stateOf, balancing, log }: IngressOptions): IngressServer {
  const list = informers.of(ingresses);
  const classes = informers.of(ingressClasses);
  const pool = createUpstreamPool(() => balancing.clock.now());
  let served: readonly Readonly<Ingress>[] = [];
  let routes: RouteTable = planRoutes([]);
  const targets = new Map<string, Map<number | string, HttpTarget>>();

  const followPort = (service: string, port: number | string) => {
    const state = stateOf(service);
    const frontend = planBackends(service, port, state);
    const ports = targets.get(service) ?? new Map<number | string, HttpTarget>();
    targets.set(service, ports);
    const known = ports.get(port);
    if (known) known.balancer.update(frontend);
    else ports.set(port, { balancer: createBalancer(frontend, balancing), pool });
  };
  const forgetPort = (service: string, port: number | string) => {
    const ports = targets.get(service);
    const target = ports?.get(port);
    // Its idle connections end with its endpoints.
    target?.balancer.update({ ...target.balancer.frontend, backends: [] });
    ports?.delete(port);
  };
  let isDue = false;
  const refresh = () => {
    isDue = false;
    served = list.list().filter((ingress) => isServedIngress(ingress, (name) => classes.get(name)));
    routes = planRoutes(served);
    const wanted = new Set(routes.all.map(({ service, port }) => `${service} ${port}`));
    for (const [service, ports] of targets)
      for (const port of ports.keys()) if (!wanted.has(`${service} ${port}`)) forgetPort(service, port);
    for (const { service, port } of routes.all)
      if (!targets.get(service)?.has(port)) followPort(service, port);
    certificates.follow();
  };
  const certificates = createCertificates(informers, () => served, log);
  // Once for all the events of a chunk.
  const refreshSoon = () => {
    if (!isDue) queueMicrotask(refresh);
    isDue = true;
  };
  list.onChange(refreshSoon);
  classes.onChange(refreshSoon);

  const siteOf = (scheme: string): HttpSite => ({
    route({ host, target }) {
      const route = routes.find(host, target);
      const found = route && targets.get(route.service)?.get(route.port);
      return found ?? { status: 404, why: "default backend - 404" };
    },
    addedHeaders: ({ host }) =>
      `X-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Host: ${host}\r\nX-Scheme: ${scheme}\r\n`,
    idleMs: 0,
  });
  const sites = { http: siteOf("http"), https: siteOf("https") };
  const SNICallback = (name: string, done: (error: Error | null, context?: SecureContext) => void) => {
    const context = certificates.contextOf(name);
    if (context) done(null, context);
    else done(new Error(`no certificate for ${name}`));
  };
  return {
    serve(client, isTls) {
      if (!isTls) {
        serveHttp(client, sites.http);
        return;
      }
      client.on("error", () => client.destroy());
      const secureContext = certificates.contextOf("");
      const secure = new (loadTls().TLSSocket)(client, {
        isServer: true,
        SNICallback,
        ...(secureContext ? { secureContext } : {}),
      });
      serveHttp(secure, sites.https);
    },
    follow(key) {
      for (const port of targets.get(key)?.keys() ?? []) followPort(key, port);
    },
    refreshFaults() {
      for (const ports of targets.values())
        for (const { balancer } of ports.values()) balancer.refreshFaults();
    },
  };
}

/** For the first Ingress with a certificate: it takes long to load, and most clusters have none. */
const loadTls = () => process.getBuiltinModule("node:tls");

function createCertificates(
  informers: InformerFactory,
  served: () => readonly Readonly<Ingress>[],
  log: Log,
): { follow(): void; contextOf(serverName: string): SecureContext | undefined } {
  // Of the Secret's version that it was made from.
  const made = new Map<string, { from: Readonly<Secret>; context: SecureContext | undefined }>();
  const entries = () =>
    served().flatMap(({ metadata, spec }) =>
      (spec?.tls ?? []).map((tls) => ({ ...tls, namespace: metadata.namespace ?? "" })),
    );
  const contextFrom = (key: string, { data = {} }: Readonly<Secret>) => {
    const read = (name: string) => Buffer.from(data[name] ?? "", "base64");
    try {
      return loadTls().createSecureContext({ cert: read("tls.crt"), key: read("tls.key") });
    } catch (error) {
      log.warn({ secret: key, error: String(error) }, "certificate of an Ingress cannot be used");
      return undefined;
    }
  };
  return {
    follow() {
      if (entries().length > 0) informers.of(secrets);
    },
    contextOf(serverName) {
      const key = secretFor(entries(), serverName);
      const secret = key === undefined ? undefined : informers.of(secrets).get(key);
      if (key === undefined || !secret) return undefined;
      const known = made.get(key);
      if (known?.from === secret) return known.context;
      const context = contextFrom(key, secret);
      made.set(key, { from: secret, context });
      return context;
    },
  };
}
