// A Transport that keeps objects in memory and behaves, for what controllers do, as the API server does: resourceVersions,
// watches, conflicts, uid preconditions, merge patches, bindings, pods that linger while they terminate. Objects are deep-frozen.
import type { KubeObject } from "../../../src/api/object.ts";
import { applyMergePatch } from "../../../src/api/patch/merge-patch.ts";
import { alreadyExists, conflict, notFound, StatusError } from "../../../src/api/status-error.ts";
import { type Clock, timestamp } from "../../../src/base/clock.ts";
import type { Transport, TransportRequest, WatchEvent } from "../../../src/client/transport.ts";

interface Target {
  readonly group: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

export interface FakeApi {
  readonly transport: Transport;
  /** What a user or an agent does: creates or replaces; gives what is stored. */
  put<T extends { metadata: { name: string; namespace?: string } }>(plural: string, object: T): KubeObject;
  remove(plural: string, key: string): void;
  get<T>(plural: string, key: string): T | undefined;
  list<T>(plural: string): T[];
  /** `METHOD plural/namespace/name/subresource` of every write so far, oldest first. */
  readonly writes: string[];
  /** Answers the next writes that it gives an error for with that error. */
  refuse: (write: string) => StatusError | undefined;
}

export function createFakeApi(clock: Clock): FakeApi {
  const stored = new Map<string, Map<string, KubeObject>>();
  const watchers = new Set<(plural: string, event: WatchEvent) => void>();
  let revision = 0;
  let made = 0;
  const of = (plural: string) => {
    const all = stored.get(plural) ?? new Map<string, KubeObject>();
    stored.set(plural, all);
    return all;
  };
  const keyOf = ({ namespace, name }: { namespace?: string | undefined; name?: string | undefined }) =>
    namespace ? `${namespace}/${name}` : `${name}`;
  const emit = (plural: string, type: WatchEvent["type"], object: KubeObject) => {
    for (const tell of [...watchers]) tell(plural, { type, object });
  };
  const save = (plural: string, object: KubeObject): KubeObject => {
    const all = of(plural);
    const key = keyOf(object.metadata);
    const before = all.get(key);
    const uid = before?.metadata.uid ?? object.metadata.uid ?? `uid-${plural}-${++made}`;
    const creationTimestamp =
      before?.metadata.creationTimestamp ?? object.metadata.creationTimestamp ?? timestamp(clock.now());
    const copy = structuredClone(object);
    copy.metadata = { ...copy.metadata, creationTimestamp, uid, resourceVersion: String(++revision) };
    all.set(key, deepFreeze(copy));
    emit(plural, before ? "MODIFIED" : "ADDED", copy);
    return copy;
  };
  const drop = (plural: string, key: string) => {
    const object = of(plural).get(key);
    if (!object) return;
    of(plural).delete(key);
    emit(plural, "DELETED", {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(++revision) },
    });
  };

  const api: FakeApi = {
    put: (plural, object) => save(plural, object as unknown as KubeObject),
    remove: drop,
    get: <T>(plural: string, key: string) => of(plural).get(key) as T | undefined,
    list: <T>(plural: string) => [...of(plural).values()] as T[],
    writes: [],
    refuse: () => undefined,
    transport: {
      async request(request) {
        await Promise.resolve();
        try {
          return { status: 200, body: answer(request), warnings: [] };
        } catch (error) {
          if (!(error instanceof StatusError)) throw error;
          return { status: error.code, body: error.status, warnings: [] };
        }
      },
      watch(request, onEvent) {
        const { plural } = parsePath(request.path);
        return new Promise((resolve) => {
          const tell = (changed: string, event: WatchEvent) => {
            // As over a wire: what is written now is seen a little later.
            if (changed === plural) queueMicrotask(() => request.signal?.aborted || onEvent(event));
          };
          const since = Number(request.query?.["resourceVersion"] ?? 0);
          for (const object of of(plural).values())
            if (Number(object.metadata.resourceVersion) > since) onEvent({ type: "MODIFIED", object });
          watchers.add(tell);
          const end = () => {
            watchers.delete(tell);
            resolve();
          };
          if (request.signal?.aborted) end();
          request.signal?.addEventListener("abort", end, { once: true });
        });
      },
      close() {},
    },
  };

  function answer(request: TransportRequest): unknown {
    const target = parsePath(request.path);
    const { plural, name, subresource } = target;
    if (request.method === "GET") {
      if (name) return existing(target);
      return { metadata: { resourceVersion: String(revision) }, items: [...of(plural).values()] };
    }
    const body = (request.body ?? {}) as KubeObject & { target?: { name: string } };
    const what = [
      plural,
      target.namespace,
      name ?? body.metadata?.name ?? body.metadata?.generateName,
      subresource,
    ];
    const write = `${request.method} ${what.filter(Boolean).join("/")}`;
    const refusal = api.refuse(write);
    if (refusal) throw refusal;
    if (plural !== "events") api.writes.push(write);
    if (subresource === "binding") return bind(target, body.target?.name ?? "");
    if (request.method === "POST") return create(target, body);
    const before = existing(target);
    checkPreconditions(target, before, request);
    if (request.method === "DELETE") return remove(target, before);
    if (request.method === "PUT") return save(plural, body);
    const after = patched(before, request);
    const { deletionTimestamp, finalizers = [] } = after.metadata;
    const held = finalizers.length > 0 || isOnNode(after);
    if (!deletionTimestamp || held || before.metadata.finalizers === undefined) return save(plural, after);
    drop(plural, keyOf(target));
    return after;
  }

  function existing(target: Target): KubeObject {
    const object = of(target.plural).get(keyOf(target));
    if (!object) throw notFound(target, target.name ?? "");
    return object;
  }

  function create(target: Target, body: KubeObject): unknown {
    const { namespace } = target;
    const name = body.metadata.name || `${body.metadata.generateName}${String(++made).padStart(5, "x")}`;
    if (of(target.plural).has(keyOf({ namespace, name }))) throw alreadyExists(target, name);
    return save(target.plural, {
      ...body,
      metadata: { ...body.metadata, ...(namespace ? { namespace } : {}), name },
    });
  }

  function bind(target: Target, node: string): unknown {
    const pod = existing(target) as KubeObject & { spec: { nodeName?: string } };
    if (pod.spec.nodeName) throw conflict(target, target.name ?? "");
    return save("pods", { ...pod, spec: { ...pod.spec, nodeName: node } } as KubeObject);
  }

  function remove({ plural, ...at }: Target, before: KubeObject): unknown {
    const lingers = isOnNode(before) || (before.metadata.finalizers ?? []).length > 0;
    if (!lingers) drop(plural, keyOf(at));
    else if (!before.metadata.deletionTimestamp)
      save(plural, {
        ...before,
        metadata: { ...before.metadata, deletionTimestamp: timestamp(clock.now()) },
      });
    return {};
  }
  return api;
}

/** A node has the pod, and takes the object away when the pod has ended. */
const isOnNode = (object: KubeObject): boolean =>
  Boolean((object as { spec?: { nodeName?: string } }).spec?.nodeName);

function checkPreconditions(target: Target, before: KubeObject, request: TransportRequest): void {
  const body = request.body as
    | { metadata?: KubeObject["metadata"]; preconditions?: { uid?: string } }
    | undefined;
  const uid = body?.preconditions?.uid ?? body?.metadata?.uid;
  const version = body?.metadata?.resourceVersion;
  if (uid && uid !== before.metadata.uid) throw conflict(target, target.name ?? "");
  if (version && version !== before.metadata.resourceVersion) throw conflict(target, target.name ?? "");
}

const DELETE_FINALIZERS = "$deleteFromPrimitiveList/finalizers";

/** A merge patch; of a strategic one `conditions`, which merge by type, and finalizers differ. */
function patched(before: KubeObject, { body, contentType }: TransportRequest): KubeObject {
  const after = applyMergePatch(structuredClone(before), body) as KubeObject & {
    status?: { conditions?: unknown[] };
  };
  if (!contentType?.includes("strategic")) return after;
  patchFinalizers(after.metadata, before.metadata, (body as { metadata?: Record<string, unknown> }).metadata);
  type Condition = { type: string };
  const old = (before as { status?: { conditions?: Condition[] } }).status?.conditions ?? [];
  const changed = (body as { status?: { conditions?: Condition[] } }).status?.conditions ?? [];
  const byType = new Map(old.map((condition) => [condition.type, condition]));
  for (const one of changed) byType.set(one.type, { ...byType.get(one.type), ...one });
  if (changed.length > 0) after.status = { ...after.status, conditions: [...byType.values()] };
  return after;
}

function patchFinalizers(
  after: KubeObject["metadata"],
  { finalizers = [] }: KubeObject["metadata"],
  patch: Record<string, unknown> = {},
): void {
  const added = (patch["finalizers"] ?? []) as string[];
  const removed = (patch[DELETE_FINALIZERS] ?? []) as string[];
  const left = [...new Set([...finalizers, ...added])].filter((one) => !removed.includes(one));
  delete (after as unknown as Record<string, unknown>)[DELETE_FINALIZERS];
  if (left.length > 0) after.finalizers = left;
  else delete after.finalizers;
}

function parsePath(path: string): Target {
  const parts = path.split("/").slice(1).map(decodeURIComponent);
  const group = parts[0] === "apis" ? (parts[1] as string) : "";
  const rest = parts.slice(group ? 3 : 2);
  const [namespace, ...tail] = rest[0] === "namespaces" && rest.length > 2 ? rest.slice(1) : ["", ...rest];
  const [plural = "", name, subresource] = tail;
  return { group, plural, namespace: namespace ?? "", name, subresource };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
