// Quantities as fields of objects.
import { compareQuantities, isQuantity, parseQuantity, QUANTITY_FORMAT_ERROR } from "../../base/quantity.ts";
import { type FieldError, invalid } from "../status-error.ts";

const NANOS = 1_000_000_000n;

/** A quantity of at least 0; `whole`: one that has no fraction. */
export function validateQuantity(amount: string, field: string, { whole = false } = {}): FieldError[] {
  if (!isQuantity(amount)) return [invalid(field, amount, QUANTITY_FORMAT_ERROR)];
  const errors: FieldError[] = [];
  if (compareQuantities(amount, "0") < 0)
    errors.push(invalid(field, amount, "must be greater than or equal to 0"));
  if (whole && parseQuantity(amount).nanos % NANOS !== 0n)
    errors.push(invalid(field, amount, "must be an integer"));
  return errors;
}
