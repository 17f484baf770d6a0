// Validation of requests and limits.
import { compareQuantities, isQuantity, QUANTITY_FORMAT_ERROR } from "../../../base/quantity.ts";
import type { ResourceRequirements } from "../../generated/types.ts";
import { labelKeyErrors } from "../../label-syntax.ts";
import { type FieldError, invalid } from "../../status-error.ts";

const STANDARD: readonly string[] = ["cpu", "memory", "ephemeral-storage"];

export function validateResources(resources: ResourceRequirements = {}, path: string): FieldError[] {
  const { limits = {}, requests = {} } = resources;
  const errors = [
    ...Object.entries(limits).flatMap(([name, amount]) => validateAmount(name, amount, `${path}.limits`)),
    ...Object.entries(requests).flatMap(([name, amount]) => validateAmount(name, amount, `${path}.requests`)),
  ];
  for (const [name, amount] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit === undefined || !isQuantity(limit) || !isQuantity(amount)) continue;
    const mayDiffer = STANDARD.includes(name);
    const comparison = compareQuantities(amount, limit);
    if (!mayDiffer && comparison !== 0) {
      errors.push(invalid(`${path}.requests`, amount, `must be equal to ${name} limit of ${limit}`));
    } else if (comparison > 0) {
      errors.push(
        invalid(`${path}.requests`, amount, `must be less than or equal to ${name} limit of ${limit}`),
      );
    }
  }
  return errors;
}

function validateAmount(name: string, amount: string, path: string): FieldError[] {
  const field = `${path}[${name}]`;
  const errors = labelKeyErrors(name).map((why) => invalid(field, name, why));
  if (
    errors.length === 0 &&
    !name.includes("/") &&
    !STANDARD.includes(name) &&
    !name.startsWith("hugepages-")
  ) {
    errors.push(
      invalid(field, name, "must be a standard resource type or fully qualified"),
      invalid(field, name, "must be a standard resource for containers"),
    );
  }
  if (!isQuantity(amount)) errors.push(invalid(field, amount, QUANTITY_FORMAT_ERROR));
  else if (compareQuantities(amount, "0") < 0) {
    errors.push(invalid(field, amount, "must be greater than or equal to 0"));
  } else if (name.includes("/") && !/^\d+$/.test(amount) && !isWhole(amount)) {
    errors.push(invalid(field, amount, "must be an integer"));
  }
  return errors;
}

const isWhole = (amount: string): boolean => !/[num]$/.test(amount) && !amount.includes(".");
