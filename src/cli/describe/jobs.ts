// Jobs and CronJobs, in words.
import type { CronJob, Job } from "../../api/generated/types.ts";
import { humanDuration } from "../../api/kind.ts";
import { selectorText } from "../../api/selectors.ts";
import {
  annotationsLines,
  type Describe,
  dateText,
  flagText,
  head,
  labelsLines,
  ownerLine,
} from "./common.ts";
import { templateLines } from "./pod-template.ts";

const optional = (title: string, value: number | string | undefined, unit = ""): string =>
  value === undefined ? "" : `${title}:\t${value}${unit}\n`;
const orUnset = (title: string, value: number | undefined, unit = ""): string =>
  `${title}:\t${value === undefined ? "<unset>" : `${value}${unit}`}\n`;

export const describeJob: Describe<Job> = (job) => {
  const { spec, status } = job;
  const { startTime, completionTime, active = 0, ready, succeeded = 0, failed = 0 } = status ?? {};
  const durationMs = Date.parse(completionTime ?? "") - Date.parse(startTime ?? "");
  const activeText = ready === undefined ? `${active} Active` : `${active} Active (${ready} Ready)`;
  return [
    head(job),
    spec?.selector ? `Selector:\t${selectorText(spec.selector)}\n` : "",
    labelsLines(job),
    annotationsLines(job),
    ownerLine(job),
    optional("Parallelism", spec?.parallelism),
    orUnset("Completions", spec?.completions),
    optional("Completion Mode", spec?.completionMode),
    optional("Suspend", spec?.suspend === undefined ? undefined : String(spec.suspend)),
    optional("Backoff Limit", spec?.backoffLimit),
    optional("TTL Seconds After Finished", spec?.ttlSecondsAfterFinished),
    startTime ? `Start Time:\t${dateText(startTime)}\n` : "",
    completionTime ? `Completed At:\t${dateText(completionTime)}\n` : "",
    Number.isNaN(durationMs) ? "" : `Duration:\t${humanDuration(durationMs)}\n`,
    optional("Active Deadline Seconds", spec?.activeDeadlineSeconds, "s"),
    `Pods Statuses:\t${activeText} / ${succeeded} Succeeded / ${failed} Failed\n`,
    spec?.completionMode === "Indexed"
      ? `Completed Indexes:\t${shortened(status?.completedIndexes ?? "")}\n`
      : "",
    spec ? templateLines(spec.template) : "",
  ].join("");
};

// kubectl cuts the list at the first comma from here on.
const INDEXES_LENGTH = 50;

function shortened(indexes: string): string {
  const comma = indexes.indexOf(",", INDEXES_LENGTH);
  return comma < 0 ? indexes || "<none>" : `${indexes.slice(0, comma + 1)}...`;
}

export const describeCronJob: Describe<CronJob> = (cronJob) => {
  const { spec, status } = cronJob;
  const job = spec?.jobTemplate.spec;
  return [
    head(cronJob),
    labelsLines(cronJob),
    annotationsLines(cronJob),
    `Schedule:\t${spec?.schedule ?? ""}\n`,
    `Concurrency Policy:\t${spec?.concurrencyPolicy ?? ""}\n`,
    `Suspend:\t${flagText(spec?.suspend)}\n`,
    orUnset("Successful Job History Limit", spec?.successfulJobsHistoryLimit),
    orUnset("Failed Job History Limit", spec?.failedJobsHistoryLimit),
    orUnset("Starting Deadline Seconds", spec?.startingDeadlineSeconds, "s"),
    `Selector:\t${job?.selector ? selectorText(job.selector) : "<unset>"}\n`,
    orUnset("Parallelism", job?.parallelism),
    orUnset("Completions", job?.completions),
    optional("Active Deadline Seconds", job?.activeDeadlineSeconds, "s"),
    job ? templateLines(job.template) : "",
    `Last Schedule Time:\t${dateText(status?.lastScheduleTime)}\n`,
    `Active Jobs:\t${status?.active?.map(({ name }) => name).join(", ") || "<none>"}\n`,
  ].join("");
};
