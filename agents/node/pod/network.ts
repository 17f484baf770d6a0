// Pod addresses and ports of this node. An address given back rests for a while: a client that still holds a
// connection or a cached endpoint must not meet another pod there.
import { createServer } from "node:net";
import type { Pod } from "../../../src/api/generated/types.ts";
import type { Image } from "../../../src/api/kinds/image.ts";
import type { Clock } from "../../../src/base/clock.ts";
import { resolveImage } from "../images/catalogue.ts";

export interface PodNetwork {
  readonly nodeIP: string;
  /** A free address of the node's range. Throws where none is left. */
  allocate(hostNetwork: boolean): string;
  release(ip: string): void;
  /** Where a pod's processes listen for each of `ports`, for those that cannot be bound as they are. */
  mapPorts(ip: string, ports: readonly number[]): Promise<Record<string, number>>;
}

const FIRST = 2;
const LAST = 254;
const REST_MS = 60_000;
// A privileged port P becomes 10000 + P, easy to recognise, where nobody has it.
const MAPPED_BASE = 10_000;

export function createPodNetwork(options: {
  slot: number;
  index: number;
  singleAddress: boolean;
  lowestPort: number;
  clock: Clock;
}): PodNetwork {
  const { slot, index, singleAddress, lowestPort, clock } = options;
  const nodeIP = singleAddress ? "127.0.0.1" : `127.${slot}.${index}.1`;
  const used = new Set<string>();
  const restingUntil = new Map<string, number>();
  return {
    nodeIP,
    allocate(hostNetwork) {
      if (singleAddress || hostNetwork) return nodeIP;
      const free: string[] = [];
      for (let host = FIRST; host <= LAST; host += 1) {
        const ip = `127.${slot}.${index}.${host}`;
        if (!used.has(ip)) free.push(ip);
      }
      const rested = free.find((ip) => (restingUntil.get(ip) ?? 0) <= clock.now());
      const ip = rested ?? free.sort((a, b) => (restingUntil.get(a) ?? 0) - (restingUntil.get(b) ?? 0))[0];
      if (ip === undefined) throw new Error(`no IP addresses available in range 127.${slot}.${index}.0/24`);
      used.add(ip);
      return ip;
    },
    release(ip) {
      if (used.delete(ip)) restingUntil.set(ip, clock.now() + REST_MS);
    },
    async mapPorts(ip, ports) {
      const map: Record<string, number> = {};
      for (const port of new Set(ports)) {
        if (!singleAddress && port >= lowestPort) continue;
        const preferred = singleAddress ? 0 : MAPPED_BASE + port;
        map[port] = await freePort(ip, preferred);
      }
      return map;
    },
  };
}

/** `preferred` where it can be bound, else any free port. */
async function freePort(host: string, preferred: number): Promise<number> {
  return (await tryPort(host, preferred)) ?? (await tryPort(host, 0)) ?? preferred;
}

function tryPort(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : undefined));
    });
  });
}

/** The TCP ports that a pod's containers declare, and those that their images' own programs listen on. */
export function portsOf(pod: Readonly<Pod>, images: readonly Readonly<Image>[]): number[] {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return containers.flatMap(({ ports = [], image = "", command }) => [
    ...ports.filter(({ protocol = "TCP" }) => protocol === "TCP").map((port) => port.containerPort),
    ...((command?.length ? undefined : resolveImage(image, images)?.program.ports) ?? []),
  ]);
}
