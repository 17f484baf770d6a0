// Pure: which backend of which Ingress answers for a host and a path (the API reference of IngressRule and HTTPIngressPath).
// A host of its own comes before a wildcard, that before no host; then the longest path, `Exact` before others; of equals the older
// Ingress. What no rule answers, a default backend does, the oldest Ingress' where there are several.
import type { Ingress, IngressBackend, IngressTLS } from "../../../src/api/generated/types.ts";
import { keyOf } from "../../../src/api/object.ts";

export interface Route {
  /** `namespace/name` of the Service. */
  readonly service: string;
  /** The Service's port, by number or name. */
  readonly port: number | string;
}

interface PathRoute extends Route {
  readonly path: string;
  readonly isExact: boolean;
}

export interface RouteTable {
  /** `host` as the Host header has it, `target` as the request line. */
  find(host: string, target: string): Route | undefined;
  /** Every route, once. */
  readonly all: readonly Route[];
}

export function planRoutes(ingresses: readonly Readonly<Ingress>[]): RouteTable {
  const byHost = new Map<string, PathRoute[]>();
  let fallback: Route | undefined;
  for (const ingress of oldestFirst(ingresses)) {
    const { rules = [], defaultBackend } = ingress.spec ?? {};
    fallback ??= routeTo(ingress, defaultBackend);
    for (const { host = "", http } of rules) {
      const key = host.toLowerCase();
      const paths = byHost.get(key) ?? [];
      byHost.set(key, paths);
      for (const { path = "/", pathType, backend } of http?.paths ?? []) {
        const route = routeTo(ingress, backend);
        if (route) paths.push({ ...route, path, isExact: pathType === "Exact" });
      }
    }
  }
  // Stable: what is equal stays with the older Ingress first.
  for (const paths of byHost.values())
    paths.sort((a, b) => b.path.length - a.path.length || Number(b.isExact) - Number(a.isExact));
  const routes = [...[...byHost.values()].flat(), ...(fallback ? [fallback] : [])];
  return {
    find(host, target) {
      const path = pathOf(target);
      // RFC 9112, 3.2.2: a target in absolute form names the host itself.
      for (const key of hostKeys(AUTHORITY.exec(target)?.[1] ?? host)) {
        const found = byHost.get(key)?.find((route) => matchesPath(route, path));
        if (found) return found;
      }
      return fallback;
    },
    all: [...new Map(routes.map(({ service, port }) => [`${service}:${port}`, { service, port }])).values()],
  };
}

const oldestFirst = (ingresses: readonly Readonly<Ingress>[]) =>
  [...ingresses].sort((a, b) => {
    const [one, two] = [a, b].map((each) => `${each.metadata.creationTimestamp} ${keyOf(each)}`);
    return (one ?? "") < (two ?? "") ? -1 : 1;
  });

function routeTo({ metadata }: Readonly<Ingress>, backend: IngressBackend | undefined): Route | undefined {
  const service = backend?.service;
  const port = service?.port?.name ?? service?.port?.number;
  return service && port !== undefined
    ? { service: `${metadata.namespace}/${service.name}`, port }
    : undefined;
}

/** The keys under which rules for that host stand, the best first. A wildcard stands for one label. */
function hostKeys(header: string): string[] {
  // `a.example.` is the same name, said in full.
  const host = header.toLowerCase().replace(/\.?(?::\d*)?$/, "");
  const dot = host.indexOf(".");
  return dot > 0 ? [host, `*${host.slice(dot)}`, ""] : [host, ""];
}

const AUTHORITY = /^[a-z]+:\/\/([^/?#]*)/i;

/** The path alone, also of a target in absolute form. */
function pathOf(target: string): string {
  const path = target.replace(AUTHORITY, "").replace(/[?#].*$/s, "");
  return path === "" ? "/" : path;
}

/** `Prefix`, element by element: `/a` stands for `/a`, `/a/` and `/a/b`, not for `/ab`. */
function matchesPath({ path, isExact }: PathRoute, asked: string): boolean {
  if (isExact) return path === asked;
  const prefix = path.endsWith("/") ? path.slice(0, -1) : path;
  return asked === prefix || asked.startsWith(`${prefix}/`);
}

/** The name of the Secret with the certificate for a server name, of those that `tls` lists; the first one where none names it. */
export function secretFor(
  tls: readonly (IngressTLS & { namespace: string })[],
  serverName: string,
): string | undefined {
  const keys = hostKeys(serverName).slice(0, -1);
  const named = keys
    .map((key) => tls.find(({ hosts = [] }) => hosts.some((host) => host.toLowerCase() === key)))
    .find((entry) => entry?.secretName);
  const chosen = named ?? tls.find(({ secretName }) => secretName);
  return chosen && `${chosen.namespace}/${chosen.secretName}`;
}
