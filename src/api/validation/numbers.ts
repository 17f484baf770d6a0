// Numbers, number-or-percent fields, and ports by number or name.
import { type FieldError, invalid } from "../status-error.ts";
import { percentErrors, portNameErrors, portNumberErrors } from "./names.ts";

export function validateNonNegative(value: number | undefined, field: string): FieldError[] {
  return value !== undefined && value < 0
    ? [invalid(field, value, "must be greater than or equal to 0")]
    : [];
}

/** A number of at least 0 or a percentage. */
export function validateNumberOrPercent(value: number | string | undefined, field: string): FieldError[] {
  if (value === undefined) return [];
  if (typeof value === "number") return validateNonNegative(value, field);
  return percentErrors(value).map((why) => invalid(field, value, why));
}

/** The percentage of `50%`, or undefined when it is none. */
export function percentOf(value: number | string | undefined): number | undefined {
  if (typeof value !== "string" || percentErrors(value).length > 0) return undefined;
  return Number(value.slice(0, -1));
}

/** One finding when it is a percentage above 100. */
export function validateAtMostAll(value: number | string | undefined, field: string): FieldError[] {
  return (percentOf(value) ?? 0) > 100 ? [invalid(field, value, "must not be greater than 100%")] : [];
}

/** True for 0 and for `0%`. */
export const isZero = (value: number | string | undefined): boolean => value === 0 || percentOf(value) === 0;

/** A port's number or a container port's name. */
export function validatePortOrName(port: number | string | undefined, field: string): FieldError[] {
  if (typeof port === "string") return portNameErrors(port).map((why) => invalid(field, port, why));
  return portNumberErrors(port ?? 0).map((why) => invalid(field, port ?? 0, why));
}
