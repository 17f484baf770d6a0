// Labels and LabelSelectors as fields of objects, in the words of apimachinery's meta/v1 validation.
import { labelKeyErrors, labelValueErrors } from "../label-syntax.ts";
import type { LabelSelector } from "../object.ts";
import { type FieldError, forbiddenField, invalid, required } from "../status-error.ts";

export function validateLabels(labels: Readonly<Record<string, string>> = {}, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of Object.keys(labels)) {
    const value = labels[key] ?? "";
    for (const why of labelKeyErrors(key)) errors.push(invalid(field, key, why));
    for (const why of labelValueErrors(value)) errors.push(invalid(field, value, why));
  }
  return errors;
}

export function validateLabelSelector(selector: LabelSelector | undefined, field: string): FieldError[] {
  if (!selector) return [];
  const errors = validateLabels(selector.matchLabels, `${field}.matchLabels`);
  for (const [index, expression] of (selector.matchExpressions ?? []).entries()) {
    const at = `${field}.matchExpressions[${index}]`;
    const values = expression.values ?? [];
    if (expression.operator === "In" || expression.operator === "NotIn") {
      if (values.length === 0) {
        errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
    } else if (expression.operator === "Exists" || expression.operator === "DoesNotExist") {
      if (values.length > 0) {
        errors.push(
          forbiddenField(
            `${at}.values`,
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
          ),
        );
      }
    } else {
      errors.push(invalid(`${at}.operator`, expression.operator, "not a valid selector operator"));
    }
    for (const why of labelKeyErrors(expression.key)) errors.push(invalid(`${at}.key`, expression.key, why));
    for (const [place, value] of values.entries()) {
      for (const why of labelValueErrors(value)) errors.push(invalid(`${at}.values[${place}]`, value, why));
    }
  }
  return errors;
}

/** True when the selector selects everything, which workloads refuse. */
export function isEmptySelector(selector: LabelSelector | undefined): boolean {
  return (
    Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0
  );
}
