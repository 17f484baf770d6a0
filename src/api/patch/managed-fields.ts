// metadata.managedFields: who set which field last. Every write that is no apply takes what it changed from all others;
// what it removed belongs to nobody. Apply itself is in server-side-apply.ts.
import { timestamp } from "../../base/clock.ts";
import { type Parts, whole } from "../../base/parts.ts";
import type { ManagedFieldsEntry } from "../generated/types.ts";
import type { KubeObject } from "../object.ts";
import type { JsonObject } from "../own.ts";
import type { TypeLookup } from "../schema.ts";
import type { Versions } from "../served-form.ts";
import {
  difference,
  type FieldSet,
  isEmptySet,
  NO_FIELDS,
  parseFieldSet,
  sortedSet,
  union,
} from "./field-set.ts";
import { type Comparison, compareValues, fieldsOf } from "./typed-value.ts";

export interface Update {
  /** undefined: the object is being created. */
  readonly before: KubeObject | undefined;
  readonly after: KubeObject;
  /** The type of both, in the version of the request. */
  readonly schema: string;
  readonly lookup: TypeLookup;
  /** Where the object is served in several versions. */
  readonly versions?: Versions | undefined;
  readonly manager: string;
  readonly operation: "Update";
  /** "" for the object itself. */
  readonly subresource: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

// Nobody owns these: the server sets them, or they name the object.
const UNOWNED_METADATA = new Set([
  "name",
  "namespace",
  "creationTimestamp",
  "selfLink",
  "uid",
  "clusterName",
  "generation",
  "managedFields",
  "resourceVersion",
]);
// kube-apiserver's DefaultMaxUpdateManagers, and the name under which it keeps what it merges.
const MOST_UPDATE_MANAGERS = 10;
const OLD_UPDATES = "ancient-changes";

/**
 * The managedFields of `after`. They start from those that `after` carries (a client may edit them; `[{}]` clears them),
 * else from those of `before`. Returns the same list when the write changed no field.
 */
export const trackUpdate = (update: Update): ManagedFieldsEntry[] => whole(trackInParts(update));

/** The same, in parts. */
export function* trackInParts(update: Update): Parts<ManagedFieldsEntry[]> {
  const { before, after, manager, subresource, now } = update;
  const given = after.metadata.managedFields;
  if (given?.length === 1 && Object.keys(given[0] ?? {}).length === 0) return [];
  const entries = given?.length ? given : (before?.metadata.managedFields ?? []);
  // Whose fields are not known is not tracked from the middle on, but from its first apply, which owns up to all that was.
  if (before && entries.length === 0) return [];
  const self = {
    manager,
    operation: "Update",
    apiVersion: after.apiVersion ?? "",
    ...(subresource ? { subresource } : {}),
  };
  const changes = changesOf(update);
  const { changed = NO_FIELDS, removed = NO_FIELDS } = changes(self);
  if (isEmptySet(changed) && isEmptySet(removed)) return entries;
  yield;
  const others = entries.filter((entry) => !isSameManager(entry, self));
  const own = entries.find((entry) => isSameManager(entry, self));
  const next = withoutChanges(others, changes);
  yield;
  const kept = own && withoutPaths([own], removed)[0];
  if (!isEmptySet(changed)) next.push(extended(kept, { self, changed, time: timestamp(now) }));
  else if (kept) next.push(kept);
  return sortEntries(capUpdateManagers(next));
}

/** What differs between two objects of one type, without what nobody owns. */
export function compareOwned(
  before: KubeObject | undefined,
  after: KubeObject,
  schema: string,
  lookup: TypeLookup,
): Comparison {
  return compareValues(owned(before), owned(after), { ref: schema }, lookup);
}

/** What a change from `before` to `after` is in the version of an entry. */
export type Changes = (entry: Pick<ManagedFieldsEntry, "apiVersion">) => Comparison;

/**
 * A change as each version sees it: `before` and `after` are in the version of the request, `schema` is their type there. An
 * entry in a version that is not served any more is taken to speak of the request's.
 */
export function changesOf({
  before,
  after,
  schema,
  lookup,
  versions,
}: Pick<Update, "before" | "after" | "schema" | "lookup" | "versions">): Changes {
  const own = after.apiVersion ?? "";
  const seen = new Map<string, Comparison>();
  return ({ apiVersion = "" }) => {
    const known = apiVersion === own ? undefined : versions?.schemaOf(apiVersion);
    const version = known ? apiVersion : own;
    let comparison = seen.get(version);
    if (!comparison) {
      const show = (object: KubeObject) => (known && versions ? versions.convert(object, version) : object);
      comparison = compareOwned(before && show(before), show(after), known ?? schema, lookup);
      seen.set(version, comparison);
    }
    return comparison;
  };
}

/** What an applied object claims. */
export function appliedFields(object: KubeObject, schema: string, lookup: TypeLookup): FieldSet {
  return fieldsOf(owned(object), { ref: schema }, lookup) ?? NO_FIELDS;
}

function owned(object: KubeObject | undefined): JsonObject {
  if (!object) return {};
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = object as KubeObject & JsonObject;
  const owned: JsonObject = rest;
  const meta: JsonObject = {};
  for (const key of Object.keys(metadata)) {
    if (!UNOWNED_METADATA.has(key)) meta[key] = (metadata as unknown as JsonObject)[key];
  }
  if (Object.keys(meta).length > 0) owned["metadata"] = meta;
  return owned;
}

/** The set of an entry, whatever a client put there. */
export function setOf(entry: ManagedFieldsEntry): FieldSet {
  return parseFieldSet(entry.fieldsV1);
}

type Manager = Pick<ManagedFieldsEntry, "manager" | "operation" | "apiVersion" | "subresource">;

/** Appliers are the same whatever version they apply. */
export function isSameManager(a: Manager, b: Manager): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    (a.subresource ?? "") === (b.subresource ?? "") &&
    (a.operation === "Apply" || a.apiVersion === b.apiVersion)
  );
}

export function entryOf(manager: Manager, set: FieldSet, time: string): ManagedFieldsEntry {
  const { subresource, ...rest } = manager;
  return {
    ...rest,
    time,
    fieldsType: "FieldsV1",
    fieldsV1: sortedSet(set) as ManagedFieldsEntry["fieldsV1"],
    ...(subresource ? { subresource } : {}),
  };
}

/** `kept`, or a new entry of `self`, with the fields that it has changed. Who writes the same fields again and again (a Lease's) only moves the time. */
function extended(
  kept: ManagedFieldsEntry | undefined,
  { self, changed, time }: { self: Manager; changed: FieldSet; time: string },
): ManagedFieldsEntry {
  const before = kept ? setOf(kept) : NO_FIELDS;
  const set = union(before, changed);
  return kept?.fieldsType && set === before ? { ...kept, time } : entryOf(self, set, time);
}

/** The entries without these paths; an entry that owns nothing any more goes. */
export function withoutPaths(entries: readonly ManagedFieldsEntry[], paths: FieldSet): ManagedFieldsEntry[] {
  return entries.flatMap((entry) => {
    const set = setOf(entry);
    const left = difference(set, paths);
    if (isEmptySet(left)) return [];
    return left === set ? [entry] : [{ ...entry, fieldsV1: left as ManagedFieldsEntry["fieldsV1"] }];
  });
}

/** The entries without what a write changed or removed. */
export function withoutChanges(
  entries: readonly ManagedFieldsEntry[],
  changes: Changes,
): ManagedFieldsEntry[] {
  return entries.flatMap((entry) => {
    const { changed = NO_FIELDS, removed = NO_FIELDS } = changes(entry);
    return withoutPaths([entry], union(changed, removed));
  });
}

const timeOf = (entry: ManagedFieldsEntry) => entry.time ?? "";

/** Apply before Update, then by time and name: the order in which Kubernetes writes them. */
export function sortEntries(entries: readonly ManagedFieldsEntry[]): ManagedFieldsEntry[] {
  const key = (entry: ManagedFieldsEntry) =>
    [entry.operation, timeOf(entry), entry.manager, entry.apiVersion, entry.subresource].join("\0");
  return [...entries].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** Of more than ten updaters the oldest are merged into one entry, so that the list cannot grow without end. */
export function capUpdateManagers(entries: ManagedFieldsEntry[]): ManagedFieldsEntry[] {
  const updaters = entries.filter((entry) => entry.operation === "Update");
  if (updaters.length <= MOST_UPDATE_MANAGERS) return entries;
  const oldestFirst = sortEntries(updaters);
  const version = oldestFirst[0]?.apiVersion;
  const oldest = oldestFirst.filter((entry) => entry.apiVersion === version);
  const merged = oldest.slice(0, updaters.length - MOST_UPDATE_MANAGERS + 1);
  const bucket = entryOf(
    { manager: OLD_UPDATES, operation: "Update", apiVersion: version ?? "" },
    merged.reduce((set, entry) => union(set, setOf(entry)), NO_FIELDS),
    timeOf(merged.at(-1) ?? {}),
  );
  return [...entries.filter((entry) => !merged.includes(entry)), bucket];
}
