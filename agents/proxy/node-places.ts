// Pure: which node a client's address belongs to: the node's own, or one of its pods'.
import type { Node } from "../../src/api/generated/types.ts";
import type { NodeAddress } from "./service-table.ts";

const ZONE = "topology.kubernetes.io/zone";

/** Undefined for a node without an address. */
export function nodeAddressOf({ metadata, spec, status }: Readonly<Node>): NodeAddress | undefined {
  const address = status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
  if (!address) return undefined;
  return { name: metadata.name, address, zone: metadata.labels?.[ZONE], podCidr: spec?.podCIDR };
}

export function createNodeLookup(nodes: readonly NodeAddress[]): (address: string) => string | undefined {
  const byAddress = new Map(nodes.map(({ address, name }) => [address, name]));
  const ranges = nodes.flatMap(
    ({ name, podCidr }) => rangeOf(podCidr)?.map((range) => ({ ...range, name })) ?? [],
  );
  return (text) => {
    // On a machine whose nodes share 127.0.0.1 it tells nothing.
    if (text === "127.0.0.1") return undefined;
    const own = byAddress.get(text);
    if (own !== undefined) return own;
    const value = numberOf(text);
    return ranges.find(({ first, mask }) => value !== undefined && (value & mask) === first)?.name;
  };
}

function rangeOf(cidr: string | undefined): { first: number; mask: number }[] | undefined {
  const [address = "", bits = ""] = (cidr ?? "").split("/");
  const value = numberOf(address);
  if (value === undefined || !/^([1-9]|[12]\d|3[0-2])$/.test(bits)) return undefined;
  const mask = -1 << (32 - Number(bits));
  return [{ first: value & mask, mask }];
}

function numberOf(address: string): number | undefined {
  const parts = address.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return undefined;
  return parts.reduce((sum, part) => (sum << 8) | part, 0);
}
