// Paths inside volumes.
import { type FieldError, invalid } from "../status-error.ts";

/** A relative path that stays below where it starts. */
export function validateDescendingPath(path: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (path.startsWith("/")) errors.push(invalid(field, path, "must be a relative path"));
  if (path.split("/").includes("..")) errors.push(invalid(field, path, "must not contain '..'"));
  return errors;
}
