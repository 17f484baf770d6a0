// Validation of metadata, the same for every kind: apimachinery's ValidateObjectMeta and ValidateObjectMetaUpdate.
import { isDeepStrictEqual } from "node:util";
import type { NameRule } from "../kind.ts";
import { labelKeyErrors } from "../label-syntax.ts";
import type { ObjectMeta, OwnerReference } from "../object.ts";
import { type FieldError, forbiddenField, invalid, required, tooLong } from "../status-error.ts";
import { validateLabels } from "./labels.ts";
import { dns1035LabelErrors, dnsLabelErrors, dnsSubdomainErrors, pathSegmentErrors } from "./names.ts";

const ANNOTATIONS_BYTES = 256 * 1024;
// Finalizers without a domain that Kubernetes itself uses.
const STANDARD_FINALIZERS: readonly string[] = ["kubernetes", "orphan", "foregroundDeletion"];

/** What is wrong with an object's name by the rule of its kind. */
export function nameErrors(name: string, rule: NameRule): string[] {
  switch (rule) {
    case "dns-label":
      return dnsLabelErrors(name);
    case "dns-1035-label":
      return dns1035LabelErrors(name);
    case "dns-subdomain":
      return dnsSubdomainErrors(name);
    case "path-segment":
      return pathSegmentErrors(name);
  }
}

/** For every create. The server has already made a name of generateName and knows the namespace. */
export function validateObjectMeta(
  meta: ObjectMeta,
  { namespaced, nameRule }: { readonly namespaced: boolean; readonly nameRule: NameRule },
): FieldError[] {
  return [...validateName(meta, nameRule), ...validateNamespace(meta, namespaced), ...validateRest(meta)];
}

/** For every update. Undefined resourceVersion has been filled in by the server where the kind allows that. */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp) {
    const before = new Set(old.finalizers);
    const added = (meta.finalizers ?? []).filter((one) => !before.has(one)).sort();
    if (added.length > 0) {
      const list = `[]string{${added.map((one) => JSON.stringify(one)).join(", ")}}`;
      errors.push(
        forbiddenField(
          "metadata.finalizers",
          `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`,
        ),
      );
    }
  }
  if (!meta.resourceVersion) {
    errors.push(invalid("metadata.resourceVersion", "", "must be specified for an update"));
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalid("metadata.generation", meta.generation ?? 0, "must not be decremented"));
  }
  for (const field of IMMUTABLE) {
    errors.push(...validateImmutable(meta[field], old[field], `metadata.${field}`));
  }
  return [...errors, ...validateRest(meta)];
}

const IMMUTABLE = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
] as const;

/** One finding when `value` differs from what was stored. */
export function validateImmutable(value: unknown, old: unknown, field: string): FieldError[] {
  return isDeepStrictEqual(value, old) ? [] : [invalid(field, value, "field is immutable")];
}

function validateName(meta: ObjectMeta, rule: NameRule): FieldError[] {
  const errors: FieldError[] = [];
  if (meta.generateName) {
    // A trailing dash is fine here: the server adds to it.
    const prefix = meta.generateName.replace(/-$/, (dash, at: number) => (at > 0 ? "a" : dash));
    for (const why of nameErrors(prefix, rule)) {
      errors.push(invalid("metadata.generateName", meta.generateName, why));
    }
  }
  if (!meta.name) return [...errors, required("metadata.name", "name or generateName is required")];
  for (const why of nameErrors(meta.name, rule)) errors.push(invalid("metadata.name", meta.name, why));
  return errors;
}

function validateNamespace({ namespace }: ObjectMeta, namespaced: boolean): FieldError[] {
  if (!namespaced) return namespace ? [forbiddenField("metadata.namespace", "not allowed on this type")] : [];
  if (!namespace) return [required("metadata.namespace")];
  return dnsLabelErrors(namespace).map((why) => invalid("metadata.namespace", namespace, why));
}

function validateRest(meta: ObjectMeta): FieldError[] {
  return [
    ...(meta.generation !== undefined && meta.generation < 0
      ? [invalid("metadata.generation", meta.generation, "must be greater than or equal to 0")]
      : []),
    ...validateLabels(meta.labels, "metadata.labels"),
    ...validateAnnotations(meta.annotations, "metadata.annotations"),
    ...validateOwners(meta.ownerReferences ?? []),
    ...validateFinalizers(meta.finalizers ?? []),
  ];
}

/** Keys are qualified names in any case; all together at most 256 KiB. */
export function validateAnnotations(
  annotations: Readonly<Record<string, string>> = {},
  field: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of Object.keys(annotations))
    for (const why of labelKeyErrors(key.toLowerCase())) errors.push(invalid(field, key, why));
  if (!annotationsFit(annotations)) errors.push(tooLong(field, ANNOTATIONS_BYTES));
  return errors;
}

/** Whether they are not larger than all annotations of an object, keys and values, may be together. */
export function annotationsFit(annotations: Readonly<Record<string, string>>): boolean {
  let bytes = 0;
  for (const key of Object.keys(annotations))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(annotations[key] ?? "");
  return bytes <= ANNOTATIONS_BYTES;
}

function validateOwners(owners: readonly OwnerReference[]): FieldError[] {
  const field = "metadata.ownerReferences";
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const owner of owners) {
    if (!owner.apiVersion || owner.apiVersion.endsWith("/")) {
      errors.push(invalid(`${field}.apiVersion`, owner.apiVersion ?? "", "version must not be empty"));
    }
    for (const name of ["kind", "name", "uid"] as const) {
      if (!owner[name]) errors.push(invalid(`${field}.${name}`, owner[name] ?? "", "must not be empty"));
    }
    if (owner.apiVersion === "v1" && owner.kind === "Event") {
      errors.push(invalid(field, owner, "/v1, Kind=Event is disallowed from being an owner"));
    }
    if (!owner.controller) continue;
    const name = `${owner.kind}/${owner.name}`;
    if (controller) {
      errors.push(
        invalid(
          field,
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`,
        ),
      );
    } else controller = name;
  }
  return errors;
}

/** `place` is where Kubernetes finds a name that lacks its domain. */
export function validateFinalizer(finalizer: string, field: string, place = field): FieldError[] {
  const errors = labelKeyErrors(finalizer).map((why) => invalid(field, finalizer, why));
  if (!finalizer.includes("/") && !STANDARD_FINALIZERS.includes(finalizer)) {
    const why = "name is neither a standard finalizer name nor is it fully qualified";
    errors.push(invalid(place, finalizer, why));
  }
  return errors;
}

function validateFinalizers(finalizers: readonly string[]): FieldError[] {
  const field = "metadata.finalizers";
  const errors: FieldError[] = [];
  for (const [index, finalizer] of finalizers.entries()) {
    errors.push(...validateFinalizer(finalizer, field, `${field}[${index}]`));
  }
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    errors.push(invalid(field, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"));
  }
  return errors;
}
