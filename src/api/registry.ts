// Every kind that the server serves, found by resource or by kind. Adding a kind is a line in builtinKinds;
// custom resources are added and removed while the server runs.
import type { AnyKind } from "./kind.ts";
import { configMapKind } from "./kinds/config-map.ts";
import { controllerRevisionKind } from "./kinds/controller-revision.ts";
import { deploymentKind } from "./kinds/deployment.ts";
import { endpointSliceKind } from "./kinds/endpoint-slice.ts";
import { endpointsKind } from "./kinds/endpoints.ts";
import { eventKind } from "./kinds/event.ts";
import { imageKind } from "./kinds/image.ts";
import { leaseKind } from "./kinds/lease.ts";
import { namespaceKind } from "./kinds/namespace.ts";
import { nodeKind } from "./kinds/node.ts";
import { podKind } from "./kinds/pod.ts";
import { priorityClassKind } from "./kinds/priority-class.ts";
import { replicaSetKind } from "./kinds/replica-set.ts";
import { replicationControllerKind } from "./kinds/replication-controller.ts";
import { secretKind } from "./kinds/secret.ts";
import { serviceKind } from "./kinds/service.ts";
import { serviceAccountKind } from "./kinds/service-account.ts";
import { kubernetesType, type TypeLookup } from "./schema.ts";

export interface Registry {
  /** In the order of registration. */
  all(): readonly AnyKind[];
  /** By the name in URLs: `find("apps", "v1", "deployments")`. */
  find(group: string, version: string, plural: string): AnyKind | undefined;
  byKind(group: string, version: string, kind: string): AnyKind | undefined;
  /** Kubernetes' types and those that registered kinds bring along. */
  readonly lookup: TypeLookup;
  /** Registers a kind, in place of one with the same group, version and plural. Returns the way to take it out again. */
  add(kind: AnyKind): () => void;
}

/** In discovery's order: the core group, then the others. */
export const builtinKinds: readonly AnyKind[] = [
  namespaceKind,
  nodeKind,
  leaseKind,
  podKind,
  replicationControllerKind,
  replicaSetKind,
  deploymentKind,
  serviceKind,
  endpointsKind,
  endpointSliceKind,
  configMapKind,
  secretKind,
  serviceAccountKind,
  eventKind,
  controllerRevisionKind,
  priorityClassKind,
  imageKind,
];

const keyOf = (group: string, version: string, name: string) => `${group}/${version}/${name}`;

export function createRegistry(kinds: readonly AnyKind[]): Registry {
  const byPlural = new Map<string, AnyKind>();
  const byName = new Map<string, AnyKind>();
  let all: readonly AnyKind[] = [];

  const remove = (kind: AnyKind) => {
    const { group, version, plural, kind: name } = kind.resource;
    // A later registration of the same resource is not this one's to take out.
    if (byPlural.get(keyOf(group, version, plural)) !== kind) return;
    byPlural.delete(keyOf(group, version, plural));
    byName.delete(keyOf(group, version, name));
    all = all.filter((one) => one !== kind);
  };
  const add = (kind: AnyKind) => {
    const { group, version, plural, kind: name } = kind.resource;
    const before = byPlural.get(keyOf(group, version, plural));
    if (before) remove(before);
    byPlural.set(keyOf(group, version, plural), kind);
    byName.set(keyOf(group, version, name), kind);
    all = [...all, kind];
    return () => remove(kind);
  };
  for (const kind of kinds) add(kind);

  const lookup: TypeLookup = (name) => {
    const known = kubernetesType(name);
    if (known) return known;
    for (const kind of all) if (kind.types && Object.hasOwn(kind.types, name)) return kind.types[name];
    return undefined;
  };
  return {
    all: () => all,
    find: (group, version, plural) => byPlural.get(keyOf(group, version, plural)),
    byKind: (group, version, kind) => byName.get(keyOf(group, version, kind)),
    lookup,
    add,
  };
}
