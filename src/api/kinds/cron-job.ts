import { parseSchedule, zoneExists } from "../../base/cron-schedule.ts";
import type { CronJob, CronJobSpec, JobSpec, JobTemplateSpec } from "../generated/types.ts";
import { ageColumn, humanDuration, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { formatLabelSelector } from "../selectors.ts";
import { type FieldError, invalid, notSupported, required } from "../status-error.ts";
import { validateNonNegative } from "../validation/numbers.ts";
import { validateJobSpec } from "./job/validate.ts";
import { defaultPodTemplate } from "./pod/defaults.ts";
import { countColumn } from "./pod/template-columns.ts";
import { podWarnings } from "./pod/warnings.ts";

export const cronJobs: Resource<CronJob> = {
  group: "batch",
  version: "v1",
  kind: "CronJob",
  plural: "cronjobs",
  namespaced: true,
};

const CONCURRENCY_POLICIES = ["Allow", "Forbid", "Replace"];
// Its Jobs' names are eleven characters longer and must fit into a label.
const LONGEST_NAME = 52;

export const cronJobKind: KindDefinition<CronJob> = {
  resource: cronJobs,
  schema: "io.k8s.api.batch.v1.CronJob",
  singular: "cronjob",
  shortNames: ["cj"],
  categories: ["all"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  defaults(cronJob) {
    cronJob.spec ??= {};
    const { spec } = cronJob;
    spec.concurrencyPolicy ||= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    spec.jobTemplate ??= {};
    spec.jobTemplate.spec ??= {};
    spec.jobTemplate.spec.template ??= {};
    defaultPodTemplate(spec.jobTemplate.spec.template);
  },
  prepareCreate(cronJob) {
    cronJob.status = {};
  },
  validate({ metadata, spec }, { subresource }) {
    if (subresource === "status") return [];
    const tooLong = metadata.name.length > LONGEST_NAME;
    return [
      ...validateSpec(spec),
      ...(tooLong ? [invalid("metadata.name", metadata.name, "must be no more than 52 characters")] : []),
    ];
  },
  warnings(cronJob, old) {
    if (old && old.metadata.generation === cronJob.metadata.generation) return [];
    return podWarnings(cronJob.spec.jobTemplate?.spec?.template, "spec.jobTemplate.spec.template.spec");
  },
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "Schedule",
      type: "string",
      priority: 0,
      description: "When Jobs are made, in cron's form.",
      value: ({ spec }) => spec.schedule,
    },
    {
      name: "Timezone",
      type: "string",
      priority: 0,
      description: "The time zone of the schedule.",
      value: ({ spec }) => spec.timeZone ?? "<none>",
    },
    {
      name: "Suspend",
      type: "boolean",
      priority: 0,
      description: "Whether no more Jobs are made.",
      value: ({ spec }) => (spec.suspend ? "True" : "False"),
    },
    /* @__PURE__ */ countColumn("Active", "Jobs that run.", ({ status }) => status?.active?.length ?? 0),
    {
      name: "Last Schedule",
      type: "string",
      priority: 0,
      description: "How long ago a Job was last due.",
      value: ({ status }, nowMs) =>
        status?.lastScheduleTime ? humanDuration(nowMs - Date.parse(status.lastScheduleTime)) : "<none>",
    },
    /* @__PURE__ */ ageColumn(),
    {
      name: "Containers",
      type: "string",
      priority: 1,
      description: "Names of the template's containers.",
      value: (cronJob) => listed(cronJob, ({ name }) => name),
    },
    {
      name: "Images",
      type: "string",
      priority: 1,
      description: "Images of the template's containers.",
      value: (cronJob) => listed(cronJob, ({ image }) => image ?? ""),
    },
    {
      name: "Selector",
      type: "string",
      priority: 1,
      description: "Always none: each Job gets its own.",
      value: ({ spec }) => formatLabelSelector(spec.jobTemplate?.spec?.selector),
    },
  ],
};

type Container = { readonly name: string; readonly image?: string };

const listed = ({ spec }: CronJob, text: (container: Container) => string): string =>
  (spec.jobTemplate?.spec?.template?.spec?.containers ?? []).map(text).join(",");

function validateSpec(spec: CronJobSpec): FieldError[] {
  const errors = [
    ...validateSchedule(spec.schedule),
    ...validateNonNegative(spec.startingDeadlineSeconds, "spec.startingDeadlineSeconds"),
    ...validateTimeZone(spec.timeZone),
  ];
  if (!CONCURRENCY_POLICIES.includes(spec.concurrencyPolicy ?? ""))
    errors.push(notSupported("spec.concurrencyPolicy", spec.concurrencyPolicy, CONCURRENCY_POLICIES));
  return [
    ...errors,
    ...validateJobTemplate(spec.jobTemplate),
    ...validateNonNegative(spec.successfulJobsHistoryLimit, "spec.successfulJobsHistoryLimit"),
    ...validateNonNegative(spec.failedJobsHistoryLimit, "spec.failedJobsHistoryLimit"),
  ];
}

function validateSchedule(schedule: string | undefined): FieldError[] {
  const field = "spec.schedule";
  if (!schedule) return [required(field)];
  const errors: FieldError[] = [];
  try {
    parseSchedule(schedule);
  } catch (error) {
    errors.push(invalid(field, schedule, error instanceof Error ? error.message : String(error)));
  }
  if (schedule.includes("TZ"))
    errors.push(invalid(field, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
  return errors;
}

function validateTimeZone(timeZone: string | undefined): FieldError[] {
  const field = "spec.timeZone";
  if (timeZone === undefined) return [];
  if (timeZone === "") return [invalid(field, timeZone, "timeZone must be nil or non-empty string")];
  if (timeZone.toLowerCase() === "local")
    return [
      invalid(
        field,
        timeZone,
        "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
      ),
    ];
  const isName = timeZone
    .split("/")
    .every((part) => /^[A-Za-z._0-9+][A-Za-z._0-9+-]{0,13}$/.test(part) && !/^\.\.?$/.test(part));
  return isName && zoneExists(timeZone) ? [] : [invalid(field, timeZone, `unknown time zone ${timeZone}`)];
}

function validateJobTemplate(template: JobTemplateSpec | undefined): FieldError[] {
  const path = "spec.jobTemplate.spec";
  const spec = template?.spec ?? ({} as JobSpec);
  const errors = validateJobSpec(spec, path);
  if (spec.selector)
    errors.push(invalid(`${path}.selector`, spec.selector, "`selector` will be auto-generated"));
  if (spec.manualSelector) errors.push(notSupported(`${path}.manualSelector`, true, ["nil", "false"]));
  return errors;
}
