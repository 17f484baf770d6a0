// Server-side apply. What the manager states is merged into the live object; what it stated last time and no longer does
// is removed unless somebody else owns it; a field that another manager owns and that would get another value is a
// conflict, which `force` settles for the applier. Source of the rules: structured-merge-diff's merge.Updater.
//
//   live       replicas 3 (owned by scale), image a (owned by me)
//   I apply    image b                  → image b; replicas stay, and stay with scale
//   I apply    image b, replicas 5      → conflict with "scale": .spec.replicas
import { timestamp } from "../../base/clock.ts";
import { type Parts, whole } from "../../base/parts.ts";
import type { ManagedFieldsEntry } from "../generated/types.ts";
import { LAST_APPLIED } from "../names.ts";
import type { KubeObject } from "../object.ts";
import type { JsonObject } from "../own.ts";
import type { FieldSchema, TypeLookup } from "../schema.ts";
import type { Versions } from "../served-form.ts";
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
import { KUBECTL, lastAppliedOf, withLastApplied } from "./last-applied.ts";
import {
  appliedFields,
  type Changes,
  capUpdateManagers,
  changesOf,
  compareOwned,
  entryOf,
  isSameManager,
  setOf,
  sortEntries,
  withoutChanges,
} from "./managed-fields.ts";
import { mergeValues, withNamedFields, withoutFields } from "./merge-values.ts";
import { fieldsOf } from "./typed-value.ts";

export interface Apply {
  /** undefined: the apply creates the object. */
  readonly live: KubeObject | undefined;
  /** What the client sent, decoded. */
  readonly applied: KubeObject;
  /** The type of both, in the version of the request. */
  readonly schema: string;
  readonly lookup: TypeLookup;
  /** Where the object is served in several versions. */
  readonly versions?: Versions | undefined;
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

/** Applies without changing its arguments. Throws 400 when `applied` carries managedFields. */
export const applyServerSide = (apply: Apply): Applied => whole(applyInParts(apply));

/** The same, in parts. */
export function* applyInParts(apply: Apply): Parts<Applied> {
  const { live, schema, lookup, versions, manager, subresource, now } = apply;
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
  yield;
  const merged = mergeValues(live, applied, root, lookup) as JsonObject;
  const lastSet = last ? setOf(last) : NO_FIELDS;
  const sameClaim = last?.apiVersion === self.apiVersion && equalSets(lastSet, claimed);
  yield;
  const pruned = sameClaim
    ? merged
    : prune(merged, {
        last,
        managed: managedWith(others, self.apiVersion, claimed),
        schema,
        lookup,
        versions,
      });
  yield;
  const object = { ...pruned, metadata: pruned["metadata"] ?? {} } as unknown as KubeObject;
  const changes = changesOf({ before: live, after: object, schema, lookup, versions });
  // The comparison is a part of its own; who asks again is told what it found.
  const { changed = NO_FIELDS, removed = NO_FIELDS } = changes(self);
  yield;
  const conflicts = apply.force || !live ? [] : conflictsOf(others, changes, apply);
  if (live && conflicts.length > 0) return { object: live, conflicts };
  const unchanged = isEmptySet(changed) && isEmptySet(removed) && sameClaim;
  const time = unchanged && last?.time ? last.time : timestamp(now);
  const next: ManagedFieldsEntry[] = [];
  for (const other of others) {
    yield;
    next.push(...withoutChanges([other], changes));
  }
  yield;
  if (!isEmptySet(claimed)) next.push(sameClaim ? { ...last, time } : entryOf(self, claimed, time));
  object.metadata = { ...object.metadata, managedFields: sortEntries(capUpdateManagers(next)) };
  return { object: manager === KUBECTL ? withLastApplied(object, apply.applied) : object, conflicts: [] };
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
  /** What the manager applied before. */
  readonly last: ManagedFieldsEntry | undefined;
  /** What anybody owns now, the applier's new claim included, by version. */
  readonly managed: ReadonlyMap<string, FieldSet>;
  readonly schema: string;
  readonly lookup: TypeLookup;
  readonly versions: Versions | undefined;
}

function managedWith(
  entries: readonly ManagedFieldsEntry[],
  version: string,
  claimed: FieldSet,
): Map<string, FieldSet> {
  const sets = new Map<string, FieldSet>([[version, claimed]]);
  for (const entry of entries) {
    const { apiVersion = "" } = entry;
    sets.set(apiVersion, union(sets.get(apiVersion) ?? NO_FIELDS, setOf(entry)));
  }
  return sets;
}

/**
 * Removes what the last apply owned and nobody owns now. Three steps, as in structured-merge-diff: take out all that the
 * last apply owned with everything below it; put back what somebody owns; put back what the last apply did not own. Each
 * set is looked at in its own version of the object.
 */
function prune(merged: JsonObject, { last, managed, schema, lookup, versions }: Pruning): JsonObject {
  const lastSet = last ? setOf(last) : NO_FIELDS;
  if (!last || isEmptySet(lastSet)) return merged;
  const own = String(merged["apiVersion"] ?? "");
  const { apiVersion: version = own } = last;
  // Nothing that was owned is free now: the usual case, and the steps below would change nothing.
  const ownedStill = managed.get(version) ?? NO_FIELDS;
  if (version === own && isEmptySet(difference(lastSet, ownedStill))) return merged;

  const views = viewsOf({ schema, lookup, versions, own });
  const before = views.show(merged, version);
  const { named, all, without } = views.at(version);
  const claimed = named(lastSet);
  let pruned = without(before, claimed);
  for (const [other, set] of managed) {
    const view = views.at(other);
    const whole = views.show(before, other);
    const lost = difference(view.all(whole), view.all(views.show(pruned, other)));
    pruned = views.show(view.without(whole, difference(lost, view.named(set))), version);
  }
  const free = intersection(difference(all(before), all(pruned)), claimed);
  return views.show(without(before, free), own);
}

/** The object's forms, and what the structure of each says about sets of fields. */
function viewsOf({
  schema,
  lookup,
  versions,
  own,
}: Pick<Pruning, "schema" | "lookup" | "versions"> & { own: string }) {
  const schemaAt = (version: string) => (version === own ? schema : (versions?.schemaOf(version) ?? schema));
  return {
    show: (object: JsonObject, version: string): JsonObject =>
      versions?.schemaOf(version)
        ? (versions.convert(object as unknown as KubeObject, version) as unknown as JsonObject)
        : object,
    at(version: string) {
      const root: FieldSchema = { ref: schemaAt(version) };
      const named = (set: FieldSet) => withNamedFields(set, root, lookup);
      return {
        named,
        all: (value: JsonObject) => named(fieldsOf(value, root, lookup) ?? NO_FIELDS),
        without: (value: JsonObject, paths: FieldSet) =>
          (withoutFields(value, paths, root, lookup) ?? {}) as JsonObject,
      };
    },
  };
}

function conflictsOf(
  others: readonly ManagedFieldsEntry[],
  changes: Changes,
  { live, applied, schema, lookup, manager }: Apply,
): FieldConflict[] {
  const found = others.flatMap((owner) =>
    pathsOf(intersection(setOf(owner), changes(owner).changed ?? NO_FIELDS)).map((field) => ({
      manager: owner.manager ?? "",
      field,
      message: `conflict with ${ownerText(owner)}`,
    })),
  );
  if (found.length === 0 || manager !== KUBECTL || !live) return found;
  // kubectl's first server-side apply of an object that it applied client-side: what its annotation says and the live
  // object still has is its own, whoever is written down as the owner.
  const annotated = lastAppliedOf(live);
  if (!annotated || applied.metadata.annotations?.[LAST_APPLIED]) return found;
  const theirs = appliedFields(annotated, schema, lookup);
  const { changed: drifted = NO_FIELDS } = compareOwned(live, annotated, schema, lookup);
  const allowed = new Set(pathsOf(difference(theirs, drifted)));
  return found.filter(({ field }) => !allowed.has(field) && !field.includes(LAST_APPLIED));
}

function ownerText({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  const name =
    JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : "");
  return operation === "Update" ? `${name} using ${apiVersion}` : name;
}
