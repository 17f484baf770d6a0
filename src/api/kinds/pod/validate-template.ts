// Validation of a workload's selector and pod template, shared by all kinds whose pods are to run for ever.
import type { LabelSelector, PodTemplateSpec } from "../../generated/types.ts";
import { labelMatcher } from "../../selectors.ts";
import { type FieldError, forbiddenField, invalid, notSupported, required } from "../../status-error.ts";
import { isEmptySelector, validateLabelSelector, validateLabels } from "../../validation/labels.ts";
import { validateAnnotations } from "../../validation/object-meta.ts";
import { validatePodSpec } from "./validate.ts";

export function validateSelector(selector: LabelSelector | undefined, whenEmpty: string): FieldError[] {
  if (!selector) return [required("spec.selector")];
  const errors = validateLabelSelector(selector, "spec.selector");
  if (isEmptySelector(selector)) errors.push(invalid("spec.selector", selector, whenEmpty));
  return errors;
}

/** `owner` is the kind that Kubernetes names in its messages. */
export function validateTemplate(
  template: PodTemplateSpec | undefined,
  selector: LabelSelector | undefined,
  owner: "ReplicaSet" | "ReplicationController" | "StatefulSet" | "DaemonSet",
): FieldError[] {
  const path = "spec.template";
  if (!template?.spec) return [required(path)];
  const { metadata, spec } = template;
  const errors: FieldError[] = [];
  if (selector && !isEmptySelector(selector) && !selects(selector, metadata?.labels)) {
    errors.push(
      invalid(
        `${path}.metadata.labels`,
        metadata?.labels ?? {},
        "`selector` does not match template `labels`",
      ),
    );
  }
  errors.push(...validatePodTemplate(template, path));
  if (spec.restartPolicy !== "Always") {
    errors.push(notSupported(`${path}.spec.restartPolicy`, spec.restartPolicy, ["Always"]));
  }
  if (spec.activeDeadlineSeconds !== undefined) {
    errors.push(
      forbiddenField(
        `${path}.spec.activeDeadlineSeconds`,
        `activeDeadlineSeconds in ${owner} is not Supported`,
      ),
    );
  }
  return errors;
}

/** What holds of every pod template, whatever makes pods of it. */
export function validatePodTemplate(template: PodTemplateSpec | undefined, path: string): FieldError[] {
  if (!template?.spec) return [required(path)];
  const { metadata, spec } = template;
  return [
    ...validateLabels(metadata?.labels, `${path}.metadata.labels`),
    ...validateAnnotations(metadata?.annotations, `${path}.metadata.annotations`),
    ...validatePodSpec(spec, `${path}.spec`),
  ];
}

// A selector with an operator that does not exist has been reported already.
function selects(selector: LabelSelector, labels: Record<string, string> | undefined): boolean {
  try {
    return labelMatcher(selector)(labels);
  } catch {
    return true;
  }
}
