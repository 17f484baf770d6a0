// The annotation kubemu.dev/published-ports, as its writer (the service-address controller) and its readers (proxy, CLI) understand it.
import { isIP } from "node:net";
import type { ObjectMeta } from "./generated/types.ts";
import { PUBLISHED_PORTS } from "./names.ts";

export interface PublishedPort {
  /** An IP address. */
  readonly host: string;
  readonly port: number;
}

/** By `PORT/PROTOCOL` of the Service: `{"80/TCP":{"host":"127.16.224.1","port":40080}}`. */
export type PublishedPorts = Readonly<Record<string, PublishedPort>>;

const KEY = /^[1-9]\d{0,4}\/(TCP|UDP|SCTP)$/;
const HIGHEST_PORT = 65_535;

/** What the annotation says; users can write it too, so an entry that is not exactly as it should be counts as absent. */
export function publishedPortsOf({ metadata }: { readonly metadata: ObjectMeta }): PublishedPorts {
  const text = metadata.annotations?.[PUBLISHED_PORTS];
  if (!text) return {};
  try {
    const map: unknown = JSON.parse(text);
    if (typeof map !== "object" || map === null || Array.isArray(map)) return {};
    return Object.fromEntries(Object.entries(map).flatMap(([key, place]) => parseEntry(key, place)));
  } catch {
    return {};
  }
}

function parseEntry(key: string, place: unknown): [string, PublishedPort][] {
  if (!KEY.test(key) || typeof place !== "object" || place === null) return [];
  const { host, port } = place as { host?: unknown; port?: unknown };
  if (typeof host !== "string" || isIP(host) === 0) return [];
  if (!Number.isInteger(port) || Number(port) < 1 || Number(port) > HIGHEST_PORT) return [];
  return [[key, { host, port: Number(port) }]];
}
