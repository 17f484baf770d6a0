// The informer's memory: objects by key, filed under indexes. Owns consistency between the two; knows no server.
import type { KubeObject } from "../api/object.ts";
import type { IndexFunction, Lister } from "./informer.ts";

export interface InformerCache<T extends KubeObject> extends Lister<T> {
  set(key: string, object: Readonly<T>): void;
  remove(key: string): void;
  keys(): Iterable<string>;
  addIndex(name: string, index: IndexFunction<T>): void;
}

interface Index<T extends KubeObject> {
  readonly valuesOf: IndexFunction<T>;
  readonly buckets: Map<string, Map<string, Readonly<T>>>;
}

const NAMESPACE = "namespace";

export function createInformerCache<T extends KubeObject>(namespaced: boolean): InformerCache<T> {
  const objects = new Map<string, Readonly<T>>();
  const indexes = new Map<string, Index<T>>();
  // Asked for often (the scheduler, the folder) and changed rarely in between.
  let all: readonly Readonly<T>[] | undefined;

  const byIndex = (name: string, value: string): readonly Readonly<T>[] => {
    const index = indexes.get(name);
    if (!index) throw new Error(`no index named ${name}`);
    const bucket = index.buckets.get(value);
    return bucket ? [...bucket.values()] : [];
  };
  const addIndex = (name: string, valuesOf: IndexFunction<T>) => {
    if (indexes.has(name)) return;
    const index: Index<T> = { valuesOf, buckets: new Map() };
    indexes.set(name, index);
    for (const [key, object] of objects) file(index, key, object);
  };
  if (namespaced) addIndex(NAMESPACE, (object) => [object.metadata.namespace ?? ""]);

  return {
    get: (key) => objects.get(key),
    list: () => {
      all ??= [...objects.values()];
      return all;
    },
    inNamespace: (namespace) => byIndex(NAMESPACE, namespace),
    byIndex,
    keys: () => [...objects.keys()],
    addIndex,
    set(key, object) {
      all = undefined;
      const before = objects.get(key);
      objects.set(key, object);
      for (const index of indexes.values()) {
        if (before) unfile(index, key, before);
        file(index, key, object);
      }
    },
    remove(key) {
      const before = objects.get(key);
      if (!before) return;
      all = undefined;
      objects.delete(key);
      for (const index of indexes.values()) unfile(index, key, before);
    },
  };
}

function file<T extends KubeObject>(index: Index<T>, key: string, object: Readonly<T>): void {
  for (const value of index.valuesOf(object)) {
    const bucket = index.buckets.get(value);
    if (bucket) bucket.set(key, object);
    else index.buckets.set(value, new Map([[key, object]]));
  }
}

function unfile<T extends KubeObject>(index: Index<T>, key: string, object: Readonly<T>): void {
  for (const value of index.valuesOf(object)) {
    const bucket = index.buckets.get(value);
    bucket?.delete(key);
    if (bucket?.size === 0) index.buckets.delete(value);
  }
}
