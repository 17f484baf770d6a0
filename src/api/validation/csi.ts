// What Kubernetes asks of the CSI kinds in common (pkg/apis/core/validation ValidateCSIDriverName).
import { type FieldError, invalid, required, tooLong } from "../status-error.ts";
import { dnsSubdomainErrors } from "./names.ts";

const LONGEST_DRIVER_NAME = 63;

export function validateDriverName(name: string | undefined, field: string): FieldError[] {
  if (!name) return [required(field)];
  const long = name.length > LONGEST_DRIVER_NAME ? [tooLong(field, LONGEST_DRIVER_NAME)] : [];
  return [...long, ...dnsSubdomainErrors(name.toLowerCase()).map((why) => invalid(field, name, why))];
}
