// What creates and updates have in common once an object is decoded: validation, generation, field ownership.
import type { AnyKind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { equalJson } from "../../api/own.ts";
import { trackInParts } from "../../api/patch/managed-fields.ts";
import { apiVersionOf } from "../../api/resource.ts";
import type { TypeLookup } from "../../api/schema.ts";
import { fromStored, toStored, versionsOf } from "../../api/served-form.ts";
import { type FieldError, invalidObject } from "../../api/status-error.ts";
import type { Parts } from "../../base/parts.ts";
import type { ServerContext } from "../context.ts";
import type { Write } from "./target.ts";

/** Throws 422 with every finding. The same finding made twice is told once. */
export function refuseInvalid(kind: AnyKind, name: string, errors: readonly FieldError[]): void {
  if (errors.length === 0) return;
  const seen = new Set<string>();
  const told = errors.filter(({ field, message }) => {
    const text = `${field}: ${message}`;
    return seen.has(text) ? false : seen.add(text);
  });
  throw invalidObject(kind.resource, name, told);
}

/** Whether metadata.generation counts the changes of spec. */
export function hasGeneration(kind: AnyKind, lookup: TypeLookup): boolean {
  if (kind.hasGeneration !== undefined) return kind.hasGeneration;
  const fields = lookup(kind.schema)?.fields;
  return fields?.["spec"] !== undefined && fields["status"] !== undefined;
}

/** What a client sent, defaulted in the form that it is in, as it is stored; the stored kind's defaults are still to come. */
export function storedForm(served: AnyKind, sent: KubeObject): KubeObject {
  served.form?.defaults?.(sent);
  return toStored(served, sent);
}

/** What the form of the request asks of an object beside the stored kind's validation. */
export function validateForm(
  { served }: Write,
  object: KubeObject,
  old: KubeObject | undefined,
): FieldError[] {
  const validate = served.form?.validate;
  return validate?.(fromStored(served, object), old && fromStored(served, old)) ?? [];
}

/** Sets metadata.managedFields as a write by `write.manager` leaves them, in terms of the version that it speaks. */
export function* ownFields(
  { registry, clock }: ServerContext,
  write: Write,
  after: KubeObject,
  before: KubeObject | undefined,
): Parts<void> {
  const { served } = write;
  const entries = yield* trackInParts({
    before: before && fromStored(served, before),
    after: { ...fromStored(served, after), apiVersion: apiVersionOf(served.resource) },
    schema: served.schema,
    lookup: registry.lookup,
    versions: versionsOf(served),
    manager: write.manager,
    operation: "Update",
    subresource: write.subresource,
    now: clock.now(),
  });
  if (entries.length > 0) after.metadata.managedFields = entries;
  else delete after.metadata.managedFields;
}

/** True when nothing but the times in managedFields tells them apart: such a write is none, as in Kubernetes. */
export function isUnchanged(after: KubeObject, before: KubeObject): boolean {
  const { managedFields: ownAfter, ...metaAfter } = after.metadata;
  const { managedFields: ownBefore, ...metaBefore } = before.metadata;
  if (!equalJson(metaAfter, metaBefore)) return false;
  const { metadata: _, ...restAfter } = after;
  const { metadata: __, ...restBefore } = before;
  return equalJson(restAfter, restBefore) && equalJson(timeless(ownAfter), timeless(ownBefore));
}

const timeless = (entries: KubeObject["metadata"]["managedFields"]) =>
  (entries ?? []).map(({ time: _, ...entry }) => entry);

/** The part of an object that is not metadata: for reading and carrying over `spec` and `status` of any kind. */
export type AnyObject = KubeObject & { spec?: unknown; status?: unknown };
