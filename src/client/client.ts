// The typed client that controllers, the scheduler, node agents, the proxy, the watched folder and the CLI share.
// createClient (create-client.ts) makes one of a Transport. Failure Statuses are thrown as StatusError.
import type { Draft, KubeObject } from "../api/object.ts";
import type { Resource } from "../api/resource.ts";
import type { Transport, WatchEvent } from "./transport.ts";

export interface List<T> {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly T[];
}

export interface ListOptions {
  /** All namespaces where absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly signal?: AbortSignal;
}

export interface WatchOptions extends Omit<ListOptions, "limit" | "continue"> {
  readonly allowWatchBookmarks?: boolean;
  /** With `resourceVersionMatch: "NotOlderThan"`, as the server wants it. */
  readonly sendInitialEvents?: boolean;
  readonly resourceVersionMatch?: "NotOlderThan";
  readonly timeoutSeconds?: number;
}

export interface WriteOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  readonly fieldValidation?: "Strict" | "Warn" | "Ignore";
  readonly subresource?: string;
  readonly signal?: AbortSignal;
  /** Called with the texts of the answer's Warning headers. */
  readonly onWarnings?: (warnings: readonly string[]) => void;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly signal?: AbortSignal;
}

export type PatchType = "json" | "merge" | "strategic" | "apply";

/** Names an object: `{ namespace, name }`; an object's own metadata fits. */
export interface At {
  readonly namespace?: string | undefined;
  readonly name: string;
}

export interface Client {
  readonly transport: Transport;
  get<T extends KubeObject>(resource: Resource<T>, at: At, signal?: AbortSignal): Promise<T>;
  /** Like get, but undefined where there is none. */
  find<T extends KubeObject>(resource: Resource<T>, at: At, signal?: AbortSignal): Promise<T | undefined>;
  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<List<T>>;
  watch<T extends KubeObject>(
    resource: Resource<T>,
    options: WatchOptions,
    onEvent: (event: WatchEvent) => void,
  ): Promise<void>;
  /** `metadata.namespace` says where; `options.subresource` with `at` creates `pods/NAME/binding` and the like. */
  create<T extends KubeObject>(resource: Resource<T>, object: Draft<T>, options?: WriteOptions): Promise<T>;
  createSub<T extends KubeObject, R>(
    resource: Resource<T>,
    at: At,
    subresource: string,
    body: unknown,
  ): Promise<R>;
  /** PUT. With `metadata.resourceVersion` set, a lost race is a Conflict. */
  update<T extends KubeObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T>;
  /** PUT to the status subresource. */
  updateStatus<T extends KubeObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(
    resource: Resource<T>,
    at: At,
    type: PatchType,
    patch: unknown,
    options?: WriteOptions & { force?: boolean },
  ): Promise<T>;
  /** Resolves when the server has accepted; a missing object is a NotFound StatusError. */
  delete<T extends KubeObject>(resource: Resource<T>, at: At, options?: DeleteOptions): Promise<void>;
}
