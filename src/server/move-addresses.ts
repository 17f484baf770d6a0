// Brings stored addresses along when a cluster starts in another range than it had: its slot was taken meanwhile, its data was copied, or
// single-address mode was switched on. ClusterIPs and podCIDRs are immutable in the API, so this goes past it, before anybody is served.
// Load balancer addresses and pods' own are corrected by those who give them.
import type { Node, Service } from "../api/generated/types.ts";
import { nodes } from "../api/kinds/node.ts";
import { services } from "../api/kinds/service.ts";
import type { KubeObject } from "../api/object.ts";
import type { Entry, Store } from "../store/store.ts";
import {
  type AddressRange,
  drawAddress,
  isInRange,
  serviceRange,
  toNumber,
  toText,
} from "./admission/service-addresses.ts";
import type { ClusterAddresses } from "./context.ts";
import { storePrefix } from "./keys.ts";

/**
 * Moves each ClusterIP that is not of the cluster's range to the same place within it, or to a free one where it has none, and forgets
 * each Node's podCIDR of another slot: its agent sets the new one. Rejects with StorageError.
 */
export async function moveAddresses(store: Store<KubeObject>, addresses: ClusterAddresses): Promise<void> {
  await Promise.all([moveClusterIps(store, serviceRange(addresses)), forgetPodCidrs(store, addresses)]);
}

async function moveClusterIps(store: Store<KubeObject>, range: AddressRange): Promise<void> {
  const stored = store.list(storePrefix(services)) as readonly Entry<Service>[];
  const addressed = stored.filter(({ object: { spec } }) => spec.clusterIP && spec.clusterIP !== "None");
  const [staying, moving] = partition(addressed, (entry) => isInRange(addressOf(entry), range));
  const taken = new Set(staying.map(addressOf));
  // Those that keep their place come first: the API's and the DNS server's are where programs look for them.
  const [fitting, others] = partition(moving, (entry) =>
    isInRange(samePlace(addressOf(entry), range), range),
  );
  const moved = [...fitting, ...others].flatMap((entry) => {
    const same = samePlace(addressOf(entry), range);
    const isFree = (address: string) => !taken.has(address);
    const clusterIP = isInRange(same, range) && isFree(same) ? same : drawAddress(range, isFree);
    if (clusterIP === undefined) return [];
    taken.add(clusterIP);
    return [{ ...entry, clusterIP }];
  });
  await Promise.all(
    moved.map(({ key, clusterIP }) =>
      rewrite<Service>(store, key, (service) => ({
        ...service,
        spec: { ...service.spec, clusterIP, clusterIPs: [clusterIP] },
      })),
    ),
  );
}

async function forgetPodCidrs(
  store: Store<KubeObject>,
  { slot, singleAddress }: ClusterAddresses,
): Promise<void> {
  const stored = store.list(storePrefix(nodes)) as readonly Entry<Node>[];
  const foreign = stored.filter(({ object: { spec } }) => {
    const podCidr = spec?.podCIDR;
    return podCidr && (singleAddress || !podCidr.startsWith(`127.${slot}.`));
  });
  await Promise.all(
    foreign.map(({ key }) =>
      rewrite<Node>(store, key, (node) => {
        const { podCIDR: _, podCIDRs: __, ...spec } = node.spec;
        return { ...node, spec };
      }),
    ),
  );
}

const addressOf = ({ object: { spec } }: Entry<Service>): string => spec.clusterIP ?? "";

/** The address in `range` that lies as far from its beginning as `address` does in the range that it is of. */
function samePlace(address: string, range: AddressRange): string {
  const number = toNumber(address);
  const slot = (number >>> 16) & 255;
  const before = serviceRange({ slot, singleAddress: !address.startsWith("127.") });
  return toText(range.first + number - before.first);
}

function partition<T>(all: readonly T[], belongs: (one: T) => boolean): [yes: T[], no: T[]] {
  return [all.filter(belongs), all.filter((one) => !belongs(one))];
}

async function rewrite<T extends KubeObject>(
  store: Store<KubeObject>,
  key: string,
  change: (object: T) => T,
): Promise<void> {
  await store.write(key, (current, revision) => {
    if (!current) return undefined;
    const changed = change(current.object as T);
    return { put: { ...changed, metadata: { ...changed.metadata, resourceVersion: String(revision) } } };
  });
}
