// The options of a write that stand in its URL, checked as apimachinery's meta/v1/validation checks them.
import {
  type FieldError,
  invalidObject,
  notSupported,
  type StatusError,
  tooLong,
} from "../../api/status-error.ts";
import type { ApiRequest } from "../request.ts";

export type OptionsKind = "CreateOptions" | "DeleteOptions" | "PatchOptions" | "UpdateOptions";

export const LONGEST_MANAGER = 128;
const FIELD_VALIDATIONS: readonly string[] = ["", "Ignore", "Strict", "Warn"];
const KINDS: Readonly<Record<string, OptionsKind>> = {
  DELETE: "DeleteOptions",
  PATCH: "PatchOptions",
  POST: "CreateOptions",
  PUT: "UpdateOptions",
};

/** Throws 422 for a fieldManager, dryRun or fieldValidation that Kubernetes refuses. */
export function checkWriteOptions({ method, query }: ApiRequest): void {
  const kind = KINDS[method] ?? "UpdateOptions";
  const errors = dryRunErrors(query.getAll("dryRun"));
  if (kind !== "DeleteOptions") {
    const manager = query.get("fieldManager") ?? "";
    if (Buffer.byteLength(manager) > LONGEST_MANAGER)
      errors.unshift(tooLong("fieldManager", LONGEST_MANAGER));
    const validation = query.get("fieldValidation") ?? "";
    if (!FIELD_VALIDATIONS.includes(validation))
      errors.push(notSupported("fieldValidation", validation, FIELD_VALIDATIONS));
  }
  if (errors.length > 0) throw refusedOptions(kind, errors);
}

/** The values that ask for something: no value at all is taken for no wish. */
const dryRunValues = (values: readonly string[]): string[] => values.filter((value) => value !== "");

/** Whether these values of dryRun, which have been checked, ask for one. */
export const isDryRun = (values: readonly string[] = []): boolean => dryRunValues(values).length > 0;

/** What Kubernetes says of these values of dryRun, which it shows together. */
export function dryRunErrors(values: readonly string[]): FieldError[] {
  const given = dryRunValues(values);
  return given.every((value) => value === "All") ? [] : [notSupported("dryRun", given, ["All"])];
}

export function refusedOptions(kind: OptionsKind, errors: readonly FieldError[]): StatusError {
  return invalidObject({ group: "meta.k8s.io", kind }, "", errors);
}
