// A Client that keeps objects in memory: enough of the API for the folder, with failures on demand.
import type { KubeObject } from "../../../src/api/object.ts";
import type { Resource } from "../../../src/api/resource.ts";
import { notFound, StatusError } from "../../../src/api/status-error.ts";
import type { At, Client } from "../../../src/client/client.ts";

export interface FakeCluster {
  readonly client: Client;
  /** `Kind/namespace/name` of everything there is. */
  names(): string[];
  get(name: string): KubeObject | undefined;
  /** Names in the order in which they were applied. */
  readonly applied: string[];
  readonly deleted: string[];
  /** From now on a deletion of what `matches` only marks it, until `finishDeletions`. */
  lingers: (name: string) => boolean;
  finishDeletions(): void;
  /** Thrown by the next applies of what `matches`, until it returns undefined. */
  refuse: (name: string) => Error | undefined;
}

export function createFakeCluster(): FakeCluster {
  const objects = new Map<string, KubeObject>();
  const nameOf = ({ kind }: Resource, { namespace = "", name }: At) => `${kind}/${namespace}/${name}`;
  const fake: FakeCluster = {
    client: undefined as unknown as Client,
    names: () => [...objects.keys()].sort(),
    get: (name) => objects.get(name),
    applied: [],
    deleted: [],
    refuse: () => undefined,
    lingers: () => false,
    finishDeletions() {
      for (const [name, { metadata }] of objects) if (metadata.deletionTimestamp) objects.delete(name);
    },
  };
  const client: Partial<Client> = {
    async find<T extends KubeObject>(resource: Resource<T>, at: At) {
      return objects.get(nameOf(resource, at)) as T | undefined;
    },
    async list<T extends KubeObject>(resource: Resource<T>, { labelSelector = "" } = {}) {
      const [label = "", value] = labelSelector.split("=");
      const items = [...objects]
        .filter(
          ([name, { metadata }]) =>
            name.startsWith(`${resource.kind}/`) && metadata.labels?.[label] === value,
        )
        .map(([, object]) => object as T);
      return { metadata: { resourceVersion: "1" }, items };
    },
    async patch<T extends KubeObject>(resource: Resource<T>, at: At, _type: string, patch: unknown) {
      const name = nameOf(resource, at);
      const error = fake.refuse(name);
      if (error) throw error;
      const object = structuredClone(patch) as T;
      const before = objects.get(name)?.metadata;
      object.metadata.uid = before?.uid ?? `uid-${objects.size}`;
      if (before?.deletionTimestamp) object.metadata.deletionTimestamp = before.deletionTimestamp;
      objects.set(name, object);
      fake.applied.push(name);
      return object;
    },
    async delete(resource: Resource, at: At) {
      const name = nameOf(resource, at);
      const object = objects.get(name);
      if (!object) throw notFound(resource, at.name);
      if (fake.lingers(name)) object.metadata.deletionTimestamp ??= "2026-01-01T00:00:00Z";
      else objects.delete(name);
      fake.deleted.push(name);
    },
  };
  return Object.assign(fake, { client: client as Client });
}

export const invalidError = (message: string) =>
  new StatusError({ reason: "Invalid", message, code: 422, metadata: {} as never });
