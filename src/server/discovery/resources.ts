// What the server serves, as discovery lists it: every kind of the registry with its verbs and subresources, and what is
// not stored: the reviews and the components' health.
import type { AnyKind } from "../../api/kind.ts";
import { metricsKinds } from "../../api/metrics.ts";
import type { Registry } from "../../api/registry.ts";
import { resourceFacts } from "../../api/schema.ts";
import { componentStatusKind } from "../component-statuses.ts";
import { reviews } from "../reviews.ts";

export interface ServedSubresource {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

export interface ServedResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly ServedSubresource[];
}

const ALL_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update"];
const PART_VERBS = ["get", "patch", "update"];

/** The verbs that a kind answers to, sorted. */
export function verbsOf(kind: AnyKind): readonly string[] {
  const { group, version, plural } = kind.resource;
  const facts = resourceFacts.find(
    (one) => one.group === group && one.version === version && one.plural === plural,
  );
  const verbs = new Set(kind.verbs ?? facts?.verbs ?? ALL_VERBS);
  if (verbs.has("list") && !metricsKinds.includes(kind)) verbs.add("watch");
  return [...verbs].sort();
}

/** Subresources that only some kinds have, beside status and scale. */
const OWN_SUBRESOURCES: Readonly<
  Record<string, Readonly<Record<string, readonly [string, readonly string[]]>>>
> = {
  pods: {
    attach: ["PodAttachOptions", ["create", "get"]],
    binding: ["Binding", ["create"]],
    ephemeralcontainers: ["Pod", PART_VERBS],
    eviction: ["Eviction", ["create"]],
    exec: ["PodExecOptions", ["create", "get"]],
    log: ["Pod", ["get"]],
    portforward: ["PodPortForwardOptions", ["create", "get"]],
    proxy: ["PodProxyOptions", ["create", "delete", "get", "patch", "update"]],
    resize: ["Pod", PART_VERBS],
  },
  services: { proxy: ["ServiceProxyOptions", ["create", "delete", "get", "patch", "update"]] },
  nodes: { proxy: ["NodeProxyOptions", ["create", "delete", "get", "patch", "update"]] },
  serviceaccounts: { token: ["TokenRequest", ["create"]] },
  namespaces: { finalize: ["Namespace", ["update"]] },
};

const ELSEWHERE: Readonly<Record<string, { readonly group: string; readonly version: string }>> = {
  Eviction: { group: "policy", version: "v1" },
  TokenRequest: { group: "authentication.k8s.io", version: "v1" },
  Scale: { group: "autoscaling", version: "v1" },
};

export function subresourcesOf(kind: AnyKind): ServedSubresource[] {
  const { group, version, kind: name, plural } = kind.resource;
  const served: ServedSubresource[] = [];
  const own = group === "" ? (OWN_SUBRESOURCES[plural] ?? {}) : {};
  for (const [subresource, [kindName, verbs]] of Object.entries(own))
    served.push({ name: subresource, group, version, kind: kindName, verbs, ...ELSEWHERE[kindName] });
  if (kind.scale) served.push({ name: "scale", kind: "Scale", verbs: PART_VERBS, ...ELSEWHERE["Scale"]! });
  if (kind.hasStatus) served.push({ name: "status", group, version, kind: name, verbs: PART_VERBS });
  return served.sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function servedResources(registry: Registry): ServedResource[] {
  const kinds = [...registry.all(), ...metricsKinds].map((kind) => ({
    ...kind.resource,
    singular: kind.singular,
    verbs: verbsOf(kind),
    shortNames: kind.shortNames ?? [],
    categories: kind.categories ?? [],
    subresources: subresourcesOf(kind),
  }));
  const questions = reviews.map((review) => ({
    ...review,
    verbs: ["create"],
    shortNames: [],
    categories: [],
    subresources: [],
  }));
  const health: ServedResource = {
    ...componentStatusKind.resource,
    singular: componentStatusKind.singular,
    verbs: ["get", "list"],
    shortNames: componentStatusKind.shortNames ?? [],
    categories: [],
    subresources: [],
  };
  return [...kinds, ...questions, health].sort((a, b) => (a.plural < b.plural ? -1 : 1));
}
