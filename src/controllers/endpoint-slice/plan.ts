// Pure: how the slices of a Service must change so that together they name exactly the wanted endpoints. A slice holds endpoints that
// share their ports, at most 100. Watchers get every changed slice anew, so as few as possible are touched: an endpoint stays in the slice
// where it is; new ones go where a slice is written anyway, then into one slice with room for all of them, then into new slices
// (endpointslice/reconciler.go). Worked example: slices {a b c}, {d}; wanted a b d e f → only the first is written, as {a b e f}.
import type { DiscoveryEndpointPort, Endpoint, EndpointSlice } from "../../api/generated/types.ts";
import { equalJson } from "../../api/own.ts";

export const MAX_ENDPOINTS = 100;

/** Endpoints that share their ports. */
export interface EndpointGroup {
  readonly ports: readonly DiscoveryEndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

export interface SliceContent {
  readonly ports: readonly DiscoveryEndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

export interface SlicePlan {
  readonly create: readonly SliceContent[];
  readonly update: readonly { readonly slice: Readonly<EndpointSlice>; readonly content: SliceContent }[];
  readonly remove: readonly Readonly<EndpointSlice>[];
  /** Slices whose content is right already. */
  readonly keep: readonly Readonly<EndpointSlice>[];
}

/** `existing`: the slices that this controller keeps for the Service. Without any endpoint one empty slice remains. */
export function planSlices(
  groups: readonly EndpointGroup[],
  existing: readonly Readonly<EndpointSlice>[],
  max = MAX_ENDPOINTS,
): SlicePlan {
  const wanted = mergeByPorts(groups);
  if (wanted.length === 0) return planEmpty(existing);
  const left = new Map<string, Readonly<EndpointSlice>[]>();
  for (const slice of existing) {
    const key = portsKey(slice.ports ?? []);
    left.set(key, [...(left.get(key) ?? []), slice]);
  }
  const plans = wanted.map((group) => {
    const key = portsKey(group.ports);
    const slices = left.get(key) ?? [];
    left.delete(key);
    return planGroup(group, slices, max);
  });
  const stale = [...left.values()].flat();
  return {
    create: plans.flatMap(({ create }) => create),
    update: plans.flatMap(({ update }) => update),
    remove: [...plans.flatMap(({ remove }) => remove), ...stale],
    keep: plans.flatMap(({ keep }) => keep),
  };
}

function mergeByPorts(groups: readonly EndpointGroup[]): readonly EndpointGroup[] {
  const merged = new Map<string, EndpointGroup>();
  for (const { ports, endpoints } of groups) {
    if (endpoints.length === 0) continue;
    const key = portsKey(ports);
    merged.set(key, { ports, endpoints: [...(merged.get(key)?.endpoints ?? []), ...endpoints] });
  }
  return [...merged.values()];
}

function planEmpty(existing: readonly Readonly<EndpointSlice>[]): SlicePlan {
  const content = { ports: [], endpoints: [] };
  const [first, ...remove] = existing;
  if (!first) return { create: [content], update: [], remove, keep: [] };
  const isEmpty = (first.endpoints ?? []).length === 0 && (first.ports ?? []).length === 0;
  return {
    create: [],
    update: isEmpty ? [] : [{ slice: first, content }],
    remove,
    keep: isEmpty ? [first] : [],
  };
}

interface Draft {
  readonly slice: Readonly<EndpointSlice>;
  endpoints: Endpoint[];
  changed: boolean;
}

function planGroup(
  { ports, endpoints }: EndpointGroup,
  existing: readonly Readonly<EndpointSlice>[],
  max: number,
): SlicePlan {
  const missing = new Map(endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const drafts = existing.map((slice) => carryOver(slice, missing, max));
  const rest = [...missing.values()];

  for (const draft of drafts
    .filter(({ changed }) => changed)
    .sort((a, b) => b.endpoints.length - a.endpoints.length))
    draft.endpoints.push(...rest.splice(0, max - draft.endpoints.length));
  const roomy = drafts
    .filter(({ changed, endpoints: held }) => !changed && rest.length > 0 && held.length + rest.length <= max)
    .sort((a, b) => b.endpoints.length - a.endpoints.length)[0];
  if (roomy) {
    roomy.endpoints.push(...rest.splice(0));
    roomy.changed = true;
  }
  const create: SliceContent[] = [];
  while (rest.length > 0) create.push({ ports, endpoints: rest.splice(0, max) });
  const empty = drafts.filter((draft) => draft.endpoints.length === 0);
  const full = drafts.filter((draft) => draft.endpoints.length > 0);
  return {
    create,
    update: full
      .filter(({ changed }) => changed)
      .map(({ slice, endpoints: held }) => ({ slice, content: { ports, endpoints: held } })),
    remove: empty.map(({ slice }) => slice),
    keep: full.filter(({ changed }) => !changed).map(({ slice }) => slice),
  };
}

/** What of the slice is still wanted, brought up to date; takes it out of `missing`. */
function carryOver(slice: Readonly<EndpointSlice>, missing: Map<string, Endpoint>, max: number): Draft {
  const endpoints: Endpoint[] = [];
  let changed = false;
  for (const held of slice.endpoints ?? []) {
    const key = endpointKey(held);
    const wanted = endpoints.length < max ? missing.get(key) : undefined;
    if (!wanted) {
      changed = true;
      continue;
    }
    missing.delete(key);
    endpoints.push(wanted);
    if (!equalJson(held, wanted)) changed = true;
  }
  return { slice, endpoints, changed };
}

const endpointKey = ({ addresses, targetRef }: Endpoint): string =>
  `${addresses.join()} ${targetRef?.uid ?? ""}`;

/** The same for the same ports in any order. */
export const portsKey = (ports: readonly DiscoveryEndpointPort[]): string =>
  JSON.stringify(
    ports
      .map(({ name = "", port, protocol = "TCP", appProtocol }) => [name, protocol, port, appProtocol])
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  );
