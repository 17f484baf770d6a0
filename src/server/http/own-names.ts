// Which names are the server's own. A page that a browser got from elsewhere can be made to reach 127.0.0.1 (DNS rebinding);
// what gives it away is its Host or Origin.

const NAMES: ReadonlySet<string> = new Set([
  "localhost",
  "127.0.0.1",
  "[::1]",
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
]);

/** `host` as the header has it, with or without a port. */
export function isOwnHost(host: string | undefined, serviceAddress: string): boolean {
  if (!host) return false;
  const name = host.replace(/:\d*$/, "").toLowerCase();
  return NAMES.has(name) || name === serviceAddress;
}

/** Absent is fine: only browsers send it. */
export function isOwnOrigin(origin: string | undefined, serviceAddress: string): boolean {
  if (origin === undefined) return true;
  const host = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1];
  return host !== undefined && isOwnHost(host, serviceAddress);
}
