// Server-side apply. What the manager states is merged into the live object; what it stated last time and no longer does
// is removed unless somebody else owns it; a field that another manager owns and that would get another value is a
// conflict, which `force` settles for the applier. Source of the rules: structured-merge-diff's merge.Updater.
//
//   live       replicas 3 (owned by scale), image a (owned by me)
//   I apply    image b                  → image b; replicas stay, and stay with scale
//   I apply    image b, replicas 5      → conflict with "scale": .spec.replicas
import { timestamp } from "../../base/clock.ts";
import type { ManagedFieldsEntry } from "../generated/types.ts";
import type { KubeObject } from "../object.ts";
import { isObject, type JsonObject } from "../own.ts";
import type { FieldSchema, TypeLookup } from "../schema.ts";
import { badRequest } from "../status-error.ts";
import {
  difference,
  equalSets,
  type FieldSet,
  intersection,
  isEmptySet,
  NO_FIELDS,
  pathsOf,
  union,
} from "./field-set.ts";
import {
  appliedFields,
  capUpdateManagers,
  compareOwned,
  entryOf,
  isSameManager,
  setOf,
  sortEntries,
  withoutPaths,
} from "./managed-fields.ts";
import { mergeValues, withNamedFields, withoutFields } from "./merge-values.ts";
import { fieldsOf } from "./typed-value.ts";

export interface Apply {
  /** undefined: the apply creates the object. */
  readonly live: KubeObject | undefined;
  /** What the client sent, decoded. */
  readonly applied: KubeObject;
  readonly schema: string;
  readonly lookup: TypeLookup;
  readonly manager: string;
  /** "" for the object itself. */
  readonly subresource: string;
  readonly force: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface FieldConflict {
  /** Who owns the field. */
  readonly manager: string;
  /** `.spec.replicas` */
  readonly field: string;
  /** `conflict with "kubectl-client-side-apply" using apps/v1` */
  readonly message: string;
}

export interface Applied {
  /** The result, before defaulting, managedFields included; the live object when there are conflicts. */
  readonly object: KubeObject;
  readonly conflicts: readonly FieldConflict[];
}

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Applies without changing its arguments. Throws 400 when `applied` carries managedFields. */
export function applyServerSide(apply: Apply): Applied {
  const { live, schema, lookup, manager, subresource, now } = apply;
  const applied = withoutReset(apply);
  if (applied.metadata.managedFields?.length) throw badRequest("metadata.managedFields must be nil");
  const root: FieldSchema = { ref: schema };
  const self = {
    manager,
    operation: "Apply",
    apiVersion: applied.apiVersion ?? "",
    ...(subresource ? { subresource } : {}),
  };
  const entries = liveEntries(apply);
  const last = entries.find((entry) => isSameManager(entry, self));
  const others = entries.filter((entry) => entry !== last);
  const claimed = appliedFields(applied, schema, lookup);
  const merged = mergeValues(live, applied, root, lookup) as JsonObject;
  const lastSet = last ? setOf(last) : NO_FIELDS;
  const managed = others.reduce((all, entry) => union(all, setOf(entry)), claimed);
  const pruned = prune(merged, { lastSet, managed, root, lookup });
  const object = { ...pruned, metadata: pruned["metadata"] ?? {} } as unknown as KubeObject;
  const { changed = NO_FIELDS, removed = NO_FIELDS } = compareOwned(live, object, schema, lookup);
  const conflicts = apply.force || !live ? [] : conflictsOf(others, changed, apply);
  if (live && conflicts.length > 0) return { object: live, conflicts };
  const unchanged = isEmptySet(changed) && isEmptySet(removed) && equalSets(lastSet, claimed);
  const time = unchanged && last?.time ? last.time : timestamp(now);
  const next = withoutPaths(others, union(changed, removed));
  if (!isEmptySet(claimed)) next.push(entryOf(self, claimed, time));
  object.metadata = { ...object.metadata, managedFields: sortEntries(capUpdateManagers(next)) };
  return { object, conflicts: [] };
}

/** Without what this endpoint does not write: nobody comes to own status by applying the object, or spec by applying its status. */
function withoutReset({ applied, schema, lookup, subresource }: Apply): KubeObject {
  const fields = lookup(schema)?.fields ?? {};
  if (!fields["spec"] || !fields["status"]) return applied;
  const { [subresource === "status" ? "spec" : "status"]: _reset, ...rest } = applied as KubeObject &
    JsonObject;
  return rest;
}

/** Objects that were never tracked get one entry that owns all there is, so that the first apply takes nothing unseen. */
function liveEntries({ live, schema, lookup, now }: Apply): readonly ManagedFieldsEntry[] {
  if (!live) return [];
  const entries = live.metadata.managedFields ?? [];
  if (entries.length > 0) return entries;
  const all = appliedFields(live, schema, lookup);
  if (isEmptySet(all)) return [];
  const before = { manager: "before-first-apply", operation: "Update", apiVersion: live.apiVersion ?? "" };
  return [entryOf(before, all, timestamp(now))];
}

interface Pruning {
  readonly lastSet: FieldSet;
  /** What anybody owns now, the applier's new claim included. */
  readonly managed: FieldSet;
  readonly root: FieldSchema;
  readonly lookup: TypeLookup;
}

/**
 * Removes what the last apply owned and nobody owns now. Three steps, as in structured-merge-diff: take out all that the
 * last apply owned with everything below it; put back what somebody owns; put back what the last apply did not own.
 */
function prune(merged: JsonObject, { lastSet, managed, root, lookup }: Pruning): JsonObject {
  if (isEmptySet(lastSet)) return merged;
  // Nothing that was owned is free now: the usual case, and the steps below would change nothing.
  if (isEmptySet(difference(lastSet, managed))) return merged;
  const named = (set: FieldSet) => withNamedFields(set, root, lookup);
  const all = (value: unknown) => named((isObject(value) && fieldsOf(value, root, lookup)) || NO_FIELDS);
  const without = (paths: FieldSet) => (withoutFields(merged, paths, root, lookup) ?? {}) as JsonObject;
  const mergedSet = all(merged);
  const last = named(lastSet);
  const first = without(last);
  const owned = without(difference(difference(mergedSet, all(first)), named(managed)));
  return without(intersection(difference(mergedSet, all(owned)), last));
}

function conflictsOf(
  others: readonly ManagedFieldsEntry[],
  changed: FieldSet,
  { live, applied, schema, lookup, manager }: Apply,
): FieldConflict[] {
  const found = others.flatMap((owner) =>
    pathsOf(intersection(setOf(owner), changed)).map((field) => ({
      manager: owner.manager ?? "",
      field,
      message: `conflict with ${ownerText(owner)}`,
    })),
  );
  if (found.length === 0 || manager !== "kubectl" || !live) return found;
  // kubectl's first server-side apply of an object that it applied client-side: what its annotation says and the live
  // object still has is its own, whoever is written down as the owner.
  const annotated = lastAppliedBy(live);
  if (!annotated || applied.metadata.annotations?.[LAST_APPLIED]) return found;
  const theirs = appliedFields(annotated, schema, lookup);
  const { changed: drifted = NO_FIELDS } = compareOwned(live, annotated, schema, lookup);
  const allowed = new Set(pathsOf(difference(theirs, drifted)));
  return found.filter(({ field }) => !allowed.has(field) && !field.includes(LAST_APPLIED));
}

function lastAppliedBy(live: KubeObject): KubeObject | undefined {
  const text = live.metadata.annotations?.[LAST_APPLIED];
  if (!text) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && isObject(value["metadata"]) ? (value as unknown as KubeObject) : undefined;
  } catch {
    return undefined;
  }
}

function ownerText({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  const name =
    JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : "");
  return operation === "Update" ? `${name} using ${apiVersion}` : name;
}
