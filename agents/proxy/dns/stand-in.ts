// Where a port of a Service or pod really listens, as a name of kubemu's own: `_80._tcp.127-20-192-7.at.cluster.local` has a
// TXT record `HOST:PORT` where that port may not be bound and another stands in for it. The stand-in programs ask for it.
import { publishedPortsOf } from "../../../src/api/published-ports.ts";
import type { ZoneSource } from "./zone.ts";

/** `HOST:PORT`; undefined where the port is where it says it is, or nothing is known of it. */
export function standInOf(source: ZoneSource, labels: readonly string[]): string | undefined {
  const [portLabel = "", protocol, host = ""] = labels;
  const port = Number(/^_(\d+)$/.exec(portLabel)?.[1]);
  const ip = host.replaceAll("-", ".");
  if (labels.length !== 3 || protocol !== "_tcp" || !Number.isInteger(port)) return undefined;
  return ofService(source, ip, port) ?? ofPod(source, ip, port);
}

function ofService(source: ZoneSource, ip: string, port: number): string | undefined {
  for (const service of source.servicesAt(ip)) {
    const place = publishedPortsOf(service)[`${port}/TCP`];
    if (place) return `${place.host}:${place.port}`;
  }
  return undefined;
}

/** By a Service in front of the pod: its slice says what the target port has become. */
function ofPod(source: ZoneSource, ip: string, port: number): string | undefined {
  for (const slice of source.slicesAt(ip)) {
    for (const { name = "", port: own, targetPort } of source.serviceOf(slice)?.spec.ports ?? []) {
      const told = slice.ports?.find((each) => (each.name ?? "") === name)?.port;
      if ((targetPort ?? own) === port && told !== undefined && told !== port) return `${ip}:${told}`;
    }
  }
  return undefined;
}
