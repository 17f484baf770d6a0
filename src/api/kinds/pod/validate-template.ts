// Validation of a workload's selector and pod template, shared by all kinds whose pods are to run for ever.
import type { LabelSelector, PodTemplateSpec } from "../../generated/types.ts";
import { labelMatcher } from "../../selectors.ts";
import { type FieldError, forbiddenField, invalid, notSupported, required } from "../../status-error.ts";
import { isEmptySelector, validateLabelSelector, validateLabels } from "../../validation/labels.ts";
import { validateAnnotations } from "../../validation/object-meta.ts";
import { validatePodSpec } from "./validate.ts";

/** The words for a selector as a whole; without `unusable` nothing more is said of one whose parts are wrong. */
export interface SelectorWords {
  readonly empty: string;
  readonly unusable?: string;
}

export function validateSelector(
  selector: LabelSelector | undefined,
  { empty, unusable }: SelectorWords,
): FieldError[] {
  if (!selector) return [required("spec.selector")];
  const errors = validateLabelSelector(selector, "spec.selector");
  if (errors.length > 0 && unusable !== undefined) errors.push(invalid("spec.selector", selector, unusable));
  if (isEmptySelector(selector)) errors.push(invalid("spec.selector", selector, empty));
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
  if (owner !== "ReplicationController" && validateLabelSelector(selector, "spec.selector").length > 0) {
    // Reported already; Kubernetes does not look at the template of what cannot select, but at a DaemonSet's.
    return owner === "DaemonSet" ? validatePodTemplate(template, path) : [];
  }
  // A missing selector selects nothing. An empty one has been reported already.
  if (!labelMatcher(selector)(metadata?.labels)) {
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
    // As Kubernetes: without `metadata`.
    ...validateLabels(metadata?.labels, `${path}.labels`),
    ...validateAnnotations(metadata?.annotations, `${path}.annotations`),
    ...validatePodSpec(spec, `${path}.spec`),
  ];
}
