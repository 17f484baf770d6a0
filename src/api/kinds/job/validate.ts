// Validation of Jobs and of the Job templates of CronJobs, in the words of Kubernetes' batch validation.
import { isDeepStrictEqual } from "node:util";
import type { Job, JobSpec, LabelSelector, ObjectMeta, PodTemplateSpec } from "../../generated/types.ts";
import { isIndexed } from "../../job-status.ts";
import { labelMatcher } from "../../selectors.ts";
import { type FieldError, invalid, notSupported, required, tooLong } from "../../status-error.ts";
import { validateLabelSelector } from "../../validation/labels.ts";
import { dnsLabelErrors } from "../../validation/names.ts";
import { validateNonNegative } from "../../validation/numbers.ts";
import { validateImmutable } from "../../validation/object-meta.ts";
import { validatePodTemplate } from "../pod/validate-template.ts";
import { validateFailurePolicy, validateSuccessPolicy } from "./validate-policies.ts";

export const CONTROLLER_UID = "batch.kubernetes.io/controller-uid";

/** The labels of a Job's pods; the two without a domain are older than the rule that they need one. */
export const JOB_LABELS = ({ uid, name }: Pick<ObjectMeta, "uid" | "name">): Record<string, string> => ({
  [CONTROLLER_UID]: uid,
  "batch.kubernetes.io/job-name": name,
  "controller-uid": uid,
  "job-name": name,
});

// Kubernetes' limits: they keep the lists of indexes in the status short.
const MOST_PARALLEL = 100_000;
const MOST_FAILED_INDEXES = 100_000;
const MANY_COMPLETIONS = 100_000;
const MOST_WITH_MANY = 10_000;
const MANAGED_BY_BYTES = 63;

export function validateJob(job: Job): FieldError[] {
  const { metadata, spec } = job;
  const errors = [
    ...validateGenerated(job),
    ...validateJobSpec(spec, "spec"),
    ...(spec.selector ? validateLabelSelector(spec.selector, "spec.selector") : [required("spec.selector")]),
  ];
  const labels = spec.template?.metadata?.labels;
  if (spec.selector && !selects(spec.selector, labels))
    errors.push(
      invalid("spec.template.metadata.labels", labels ?? {}, "`selector` does not match template `labels`"),
    );
  const last = `${metadata.name}-${(spec.completions ?? 0) - 1}`;
  if (isIndexed(job) && (spec.completions ?? 0) > 0 && dnsLabelErrors(last).length > 0)
    errors.push(
      invalid("metadata.name", metadata.name, `will not able to create pod with invalid DNS label: ${last}`),
    );
  return errors;
}

function validateGenerated({ metadata, spec }: Job): FieldError[] {
  if (spec.manualSelector || !spec.selector) return [];
  const labels: Record<string, string> = spec.template?.metadata?.labels ?? {};
  const errors = Object.entries(JOB_LABELS(metadata)).flatMap(([key, value]) => {
    const field = `spec.template.metadata.labels[${key}]`;
    if (labels[key] === undefined) return [required(field, `must be '${value}'`)];
    return labels[key] === value ? [] : [invalid(field, labels, `must be '${value}'`)];
  });
  if (!selects(spec.selector, JOB_LABELS(metadata)))
    errors.push(invalid("spec.selector", spec.selector, "`selector` not auto-generated"));
  return errors;
}

/** The spec of a Job, or of a CronJob's template; `path` is where it stands. */
export function validateJobSpec(spec: JobSpec, path: string): FieldError[] {
  const counts = [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
  ] as const;
  const errors = counts.flatMap((field) => validateNonNegative(spec[field], `${path}.${field}`));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    errors.push(required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified"));
  return [
    ...errors,
    ...validateManagedBy(spec, path),
    ...validateCompletionMode(spec, path),
    ...validateFailurePolicy(spec, `${path}.podFailurePolicy`),
    ...validateReplacement(spec, `${path}.podReplacementPolicy`),
    ...validateTemplate(spec, `${path}.template`),
  ];
}

function validateManagedBy({ managedBy }: JobSpec, path: string): FieldError[] {
  const field = `${path}.managedBy`;
  if (managedBy === undefined) return [];
  if (Buffer.byteLength(managedBy) > MANAGED_BY_BYTES) return [tooLong(field, MANAGED_BY_BYTES)];
  if (/^[^/]+\/[^/]+/.test(managedBy)) return [];
  return [invalid(field, managedBy, 'must be a domain-prefixed path (such as "acme.io/foo")')];
}

function validateCompletionMode(spec: JobSpec, path: string): FieldError[] {
  const mode = spec.completionMode ?? "NonIndexed";
  if (mode === "Indexed") return validateIndexed(spec, path);
  const errors =
    mode === "NonIndexed" ? [] : [notSupported(`${path}.completionMode`, mode, ["Indexed", "NonIndexed"])];
  if (mode !== "NonIndexed") return errors;
  for (const field of ["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"] as const)
    if (spec[field] !== undefined)
      errors.push(invalid(`${path}.${field}`, spec[field], "requires indexed completion mode"));
  return errors;
}

function validateIndexed(spec: JobSpec, path: string): FieldError[] {
  const { completions, parallelism = 0, maxFailedIndexes } = spec;
  const errors: FieldError[] = [];
  if (completions === undefined)
    errors.push(required(`${path}.completions`, "when completion mode is Indexed"));
  const atMost = (field: "parallelism" | "maxFailedIndexes", limit: number, when: string) => {
    if ((spec[field] ?? 0) > limit)
      errors.push(invalid(`${path}.${field}`, spec[field], `must be less than or equal to ${limit}${when}`));
  };
  if (parallelism > MOST_PARALLEL) atMost("parallelism", MOST_PARALLEL, " when completion mode is Indexed");
  if (completions !== undefined && (maxFailedIndexes ?? 0) > completions)
    errors.push(
      invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, "must be less than or equal to completions"),
    );
  atMost("maxFailedIndexes", MOST_FAILED_INDEXES, "");
  if ((completions ?? 0) > MANY_COMPLETIONS && spec.backoffLimitPerIndex !== undefined) {
    const when = ` when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`;
    if (maxFailedIndexes === undefined)
      errors.push(
        required(
          `${path}.maxFailedIndexes`,
          `must be specified when completions is above ${MANY_COMPLETIONS}`,
        ),
      );
    atMost("parallelism", MOST_WITH_MANY, when);
    atMost("maxFailedIndexes", MOST_WITH_MANY, when);
  }
  return [...errors, ...validateSuccessPolicy(spec, `${path}.successPolicy`)];
}

function validateReplacement({ podReplacementPolicy, podFailurePolicy }: JobSpec, field: string) {
  if (podReplacementPolicy === undefined) return [];
  const supported = podFailurePolicy ? ["Failed"] : ["Failed", "TerminatingOrFailed"];
  return supported.includes(podReplacementPolicy)
    ? []
    : [notSupported(field, podReplacementPolicy, supported)];
}

function validateTemplate({ template, podFailurePolicy }: JobSpec, path: string): FieldError[] {
  const errors = validatePodTemplate(template, path);
  const policy = template?.spec?.restartPolicy;
  const field = `${path}.spec.restartPolicy`;
  if (!template?.spec) return errors;
  if (!policy || policy === "Always") errors.push(required(field, 'valid values: "OnFailure", "Never"'));
  else if (policy !== "OnFailure" && policy !== "Never")
    errors.push(notSupported(field, policy, ["OnFailure", "Never"]));
  else if (podFailurePolicy && policy !== "Never")
    errors.push(invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified'));
  return errors;
}

const IMMUTABLE = [
  "selector",
  "completionMode",
  "podFailurePolicy",
  "backoffLimitPerIndex",
  "managedBy",
  "successPolicy",
] as const;

export function validateJobUpdate(job: Job, old: Job): FieldError[] {
  return [
    ...validateCompletions(job, old),
    ...validateTemplateUpdate(job, old),
    ...IMMUTABLE.flatMap((field) => validateImmutable(job.spec[field], old.spec[field], `spec.${field}`)),
  ];
}

/** Indexed Jobs are elastic: completions and parallelism may change together. */
function validateCompletions({ spec }: Job, old: Job): FieldError[] {
  const field = "spec.completions";
  if (!isIndexed({ spec })) return validateImmutable(spec.completions, old.spec.completions, field);
  if (spec.completions === old.spec.completions || spec.completions === undefined) return [];
  return spec.completions === spec.parallelism
    ? []
    : [invalid(field, spec.completions, "can only be modified in tandem with spec.parallelism")];
}

/** A suspended Job that has never started may still be told where its pods go. */
function validateTemplateUpdate({ spec }: Job, old: Job): FieldError[] {
  const mayMove = old.spec.suspend === true && old.status?.startTime === undefined;
  const before = mayMove ? settled(old.spec.template) : old.spec.template;
  const after = mayMove ? settled(spec.template) : spec.template;
  return isDeepStrictEqual(after, before)
    ? []
    : validateImmutable(spec.template, old.spec.template, "spec.template");
}

/** What of a template stays as it is while scheduling directives may change. */
function settled({ metadata, spec }: PodTemplateSpec): unknown {
  const { labels: _l, annotations: _a, ...meta } = metadata ?? {};
  const { nodeSelector: _n, tolerations: _t, schedulingGates: _s, affinity, ...rest } = spec ?? {};
  const { nodeAffinity: _f, ...others } = affinity ?? {};
  return { meta, rest, others };
}

// A selector with an operator that does not exist has been reported already.
function selects(selector: LabelSelector, labels: Readonly<Record<string, string>> | undefined): boolean {
  try {
    return labelMatcher(selector)(labels);
  } catch {
    return true;
  }
}
