// Job: pods that run to their end. Its selector and the labels that tell its pods apart are made by the server, of its uid.
import type { Job } from "../generated/types.ts";
import { isIndexed, jobCondition } from "../job-status.ts";
import { ageColumn, humanDuration, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { formatLabelSelector } from "../selectors.ts";
import { validateNonNegative } from "../validation/numbers.ts";
import { CONTROLLER_UID, JOB_LABELS, validateJob, validateJobUpdate } from "./job/validate.ts";
import { defaultPodTemplate } from "./pod/defaults.ts";
import { templateColumns } from "./pod/template-columns.ts";
import { templateWarnings } from "./pod/warnings.ts";

export const jobs: Resource<Job> = {
  group: "batch",
  version: "v1",
  kind: "Job",
  plural: "jobs",
  namespaced: true,
};

const MANY_COMPLETIONS = 100_000;
const HIGH_PARALLELISM = 10_000;
const MOST_FAILURES = 2 ** 31 - 1;

export const jobKind: KindDefinition<Job> = {
  resource: jobs,
  schema: "io.k8s.api.batch.v1.Job",
  singular: "job",
  categories: ["all"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  // For compatibility's sake; kubectl always names a policy.
  defaultPropagation: "Orphan",
  defaults(job) {
    job.spec ??= {};
    const { spec } = job;
    if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
    spec.parallelism ??= 1;
    spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : MOST_FAILURES;
    spec.completionMode ??= "NonIndexed";
    spec.suspend ??= false;
    spec.manualSelector ??= false;
    spec.podReplacementPolicy ??= spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed";
    for (const rule of spec.podFailurePolicy?.rules ?? [])
      for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
    spec.template ??= {};
    defaultPodTemplate(spec.template);
  },
  prepareCreate(job) {
    if (!job.spec.manualSelector) generateSelector(job);
    const labels = job.spec.template?.metadata?.labels;
    if (labels && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = { ...labels };
    job.status = {};
  },
  validate(job, { subresource }) {
    if (subresource !== "status") return validateJob(job);
    const { active, succeeded, failed, ready, terminating } = job.status ?? {};
    return Object.entries({ active, succeeded, failed, ready, terminating }).flatMap(([field, count]) =>
      validateNonNegative(count, `status.${field}`),
    );
  },
  validateUpdate: (job, old, { subresource }) =>
    subresource === "status" ? [] : validateJobUpdate(job, old),
  warnings(job, old) {
    const { completions = 0, parallelism = 0 } = job.spec;
    const isLarge = isIndexed(job) && completions > MANY_COMPLETIONS && parallelism > HIGH_PARALLELISM;
    const large =
      "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail";
    return [...(isLarge && !old ? [large] : []), ...templateWarnings(job, old)];
  },
  columns: /* @__PURE__ */ templateColumns<Job>(
    [
      /* @__PURE__ */ nameColumn(),
      { name: "Status", type: "string", priority: 0, description: "What the Job is doing.", value: statusOf },
      {
        name: "Completions",
        type: "string",
        priority: 0,
        description: "Pods that succeeded of those that must.",
        value: completionsOf,
      },
      {
        name: "Duration",
        type: "string",
        priority: 0,
        description: "How long the Job has run, or ran.",
        value: durationOf,
      },
      /* @__PURE__ */ ageColumn(),
    ],
    ({ spec }) => formatLabelSelector(spec.selector),
  ),
  fields: ({ status }) => ({ "status.successful": String(status?.succeeded ?? 0) }),
};

/** What tells this Job's pods from all others. Labels that the client has set are left for validation to find. */
function generateSelector({ metadata, spec }: Job): void {
  spec.template.metadata ??= {} as NonNullable<typeof spec.template.metadata>;
  spec.template.metadata.labels = { ...JOB_LABELS(metadata), ...spec.template.metadata.labels };
  spec.selector ??= {};
  spec.selector.matchLabels = { [CONTROLLER_UID]: metadata.uid, ...spec.selector.matchLabels };
}

function statusOf(job: Job): string {
  const is = (type: string) => jobCondition(job, type)?.status === "True";
  if (is("Complete")) return "Complete";
  if (is("Failed")) return "Failed";
  if (job.metadata.deletionTimestamp) return "Terminating";
  const shown = ["Suspended", "FailureTarget", "SuccessCriteriaMet"].find(is);
  return shown ?? "Running";
}

function completionsOf({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationOf({ status }: Job, nowMs: number): string {
  if (!status?.startTime) return "";
  const endMs = status.completionTime ? Date.parse(status.completionTime) : nowMs;
  return humanDuration(endMs - Date.parse(status.startTime));
}
