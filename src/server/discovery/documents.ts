// The discovery documents: the old ones, one a group and version, and the aggregated ones of apidiscovery.k8s.io.
import type { ServedResource, ServedSubresource } from "./resources.ts";

/** One group with its versions, the preferred one first. */
interface Group {
  readonly name: string;
  readonly versions: readonly string[];
}

const apiVersionOf = (group: string, version: string) => (group ? `${group}/${version}` : version);

export function groupsOf(resources: readonly ServedResource[]): Group[] {
  const groups = new Map<string, Set<string>>();
  for (const { group, version } of resources)
    groups.set(group, (groups.get(group) ?? new Set()).add(version));
  return [...groups]
    .map(([name, versions]) => ({ name, versions: [...versions].sort(newestFirst) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The order of preference of apimachinery's version comparison: v2, v1, v2beta1, v1beta2, v1alpha1, then what is none. */
function newestFirst(a: string, b: string): number {
  const [ranked, other] = [rankOf(a), rankOf(b)];
  for (const [index, value] of ranked.entries()) {
    const difference = (other[index] ?? 0) - value;
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : 1;
}

const STAGES = ["alpha", "beta", undefined];

/** Stage, major and minor number; all below zero for a name that is no version. */
function rankOf(version: string): number[] {
  const found = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (!found) return [-1, -1, -1];
  return [STAGES.indexOf(found[2]), Number(found[1]), Number(found[3] ?? 0)];
}

/** `/api` without aggregation. */
export const coreVersions = (serverAddress: string) => ({
  kind: "APIVersions",
  versions: ["v1"],
  serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
});

/** `/apis` without aggregation. */
export const groupList = (resources: readonly ServedResource[]) => ({
  kind: "APIGroupList",
  apiVersion: "v1",
  groups: groupsOf(resources)
    .filter(({ name }) => name !== "")
    .map(groupEntry),
});

/** `/apis/GROUP`; undefined when it is not served. */
export function groupDocument(resources: readonly ServedResource[], name: string) {
  const group = groupsOf(resources).find((one) => one.name === name);
  return group && name !== "" ? { kind: "APIGroup", apiVersion: "v1", ...groupEntry(group) } : undefined;
}

function groupEntry({ name, versions }: Group) {
  const entries = versions.map((version) => ({ groupVersion: apiVersionOf(name, version), version }));
  return { name, versions: entries, preferredVersion: entries[0] };
}

/** `/api/v1`, `/apis/GROUP/VERSION`; undefined when it is not served. */
export function resourceList(resources: readonly ServedResource[], group: string, version: string) {
  const served = resources.filter((one) => one.group === group && one.version === version);
  if (served.length === 0) return undefined;
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: apiVersionOf(group, version),
    resources: served.flatMap((resource) => [
      resourceEntry(resource),
      ...resource.subresources.map((one) => subresourceEntry(resource, one)),
    ]),
  };
}

function resourceEntry({
  plural,
  singular,
  namespaced,
  kind,
  verbs,
  shortNames,
  categories,
}: ServedResource) {
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  };
}

function subresourceEntry(
  resource: ServedResource,
  { name, group, version, kind, verbs }: ServedSubresource,
) {
  const elsewhere = group !== resource.group || version !== resource.version;
  return {
    name: `${resource.plural}/${name}`,
    singularName: "",
    namespaced: resource.namespaced,
    ...(elsewhere ? { group, version } : {}),
    kind,
    verbs,
  };
}

/** `/api` and `/apis`, aggregated: `core` says which of the two. `version` is v2 or v2beta1. */
export function aggregated(
  resources: readonly ServedResource[],
  { core, version }: { core: boolean; version: string },
) {
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groupsOf(resources)
      .filter(({ name }) => (name === "") === core)
      .map(({ name, versions }) => ({
        metadata: name ? { name, creationTimestamp: null } : { creationTimestamp: null },
        versions: versions.map((one) => ({
          version: one,
          resources: resources.filter((r) => r.group === name && r.version === one).map(aggregatedResource),
          freshness: "Current",
        })),
      })),
  };
}

function aggregatedResource(resource: ServedResource) {
  const { group, version, kind, plural, singular, namespaced, verbs, shortNames, categories } = resource;
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(resource.subresources.length > 0
      ? {
          subresources: resource.subresources.map((one) => ({
            subresource: one.name,
            responseKind: { group: one.group, version: one.version, kind: one.kind },
            verbs: one.verbs,
          })),
        }
      : {}),
  };
}
