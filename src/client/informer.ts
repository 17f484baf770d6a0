// An informer is a local copy of one resource, kept in step by list + watch. It can be behind, never wrong in order:
// listeners see each object's states in the server's order, and `synced` says that the first list is in.
import type { KubeObject } from "../api/object.ts";
import type { Resource } from "../api/resource.ts";

/** The read side, for controllers, scheduler, agents and tests. Objects are read-only. */
export interface Lister<T extends KubeObject> {
  /** `namespace/name`, or `name` for what has no namespace. */
  get(key: string): Readonly<T> | undefined;
  list(): readonly Readonly<T>[];
  /** The objects of one namespace. */
  inNamespace(namespace: string): readonly Readonly<T>[];
  /** The objects that the index function `index` (given at start) files under `value`. */
  byIndex(index: string, value: string): readonly Readonly<T>[];
}

/** Exactly one of `before` and `after` is absent for an add or a delete. */
export type ChangeListener<T extends KubeObject> = (
  after: Readonly<T> | undefined,
  before: Readonly<T> | undefined,
) => void;

export interface Informer<T extends KubeObject> extends Lister<T> {
  /** Calls `listener` for each object already known, then for each change, synchronously. Returns the way to stop. */
  onChange(listener: ChangeListener<T>): () => void;
  /** Resolves once the first list is in. */
  readonly synced: Promise<void>;
  /** The newest resourceVersion seen, as a number; 0 before the first list. */
  readonly revision: number;
  stop(): Promise<void>;
}

/** What an index files an object under: none, one or several values. */
export type IndexFunction<T extends KubeObject> = (object: Readonly<T>) => readonly string[];

/** What startInformer and the factory give: an Informer that can also gain indexes and be waited on. */
export interface LiveInformer<T extends KubeObject> extends Informer<T> {
  /** Files every object, present and future. Naming an index that exists changes nothing. */
  addIndex(name: string, index: IndexFunction<T>): void;
  /** Resolves once `condition` holds; it is asked now and after every step of the informer. Rejects never; a stopped informer resolves. */
  when(condition: () => boolean): Promise<void>;
}

/** Shared informers of one client, each started on first use. */
export interface InformerFactory {
  of<T extends KubeObject>(resource: Resource<T>): LiveInformer<T>;
  addIndex<T extends KubeObject>(resource: Resource<T>, name: string, index: IndexFunction<T>): void;
  /** Resolves once every informer started so far has its first list. */
  synced(): Promise<void>;
  /** Ends one informer (its resource is served no more). */
  drop(resource: Resource): Promise<void>;
  stop(): Promise<void>;
}
