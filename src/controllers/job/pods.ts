// What a Job asks of its pods: whether they count, how they ended, and what a new one looks like.
import type { Job, Pod, PodTemplateSpec } from "../../api/generated/types.ts";
import { jobs } from "../../api/kinds/job.ts";
import type { Draft } from "../../api/object.ts";
import { podCondition } from "../../api/pod-status.ts";
import { podFromTemplate } from "../shared/pod-from-template.ts";

/** Holds a pod until its end has been counted in the Job's status. */
export const TRACKING = "batch.kubernetes.io/job-tracking";

const COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index";
const FAILURES = "batch.kubernetes.io/job-index-failure-count";
const IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count";
const INDEX_VARIABLE = "JOB_COMPLETION_INDEX";
// What is left of a name when the server adds its five characters.
const LONGEST_PREFIX = 58;

export const isTracked = (pod: Readonly<Pod>): boolean =>
  pod.metadata.finalizers?.includes(TRACKING) ?? false;

/** The index that the pod works on; undefined where it has none that can be read. */
export function completionIndex(pod: Readonly<Pod>): number | undefined {
  const text = pod.metadata.annotations?.[COMPLETION_INDEX] ?? "";
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Pods that fail are replaced at once or, with policy Failed, only when they are down. */
export const replacesOnlyFailed = ({ spec }: Readonly<Job>): boolean =>
  spec.podReplacementPolicy === "Failed";

/** A pod that is being deleted counts as failed, because it may never get to say so itself. */
export function isFailed(pod: Readonly<Pod>, job: Readonly<Job>): boolean {
  if (pod.status?.phase === "Failed") return true;
  if (replacesOnlyFailed(job)) return false;
  return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== "Succeeded";
}

export const isTerminating = (pod: Readonly<Pod>): boolean =>
  pod.metadata.deletionTimestamp !== undefined &&
  pod.status?.phase !== "Succeeded" &&
  pod.status?.phase !== "Failed";

/** When the pod ended, in ms since the epoch, as well as can be told. */
export function finishedAt(pod: Readonly<Pod>): number {
  const { metadata, status } = pod;
  const ends = (status?.containerStatuses ?? []).map(({ state }) =>
    Date.parse(state?.terminated?.finishedAt ?? ""),
  );
  if (ends.length > 0 && ends.every((end) => !Number.isNaN(end))) return Math.max(...ends);
  const ready = podCondition(pod, "Ready");
  if (ready?.status === "False" && ready.lastTransitionTime) return Date.parse(ready.lastTransitionTime);
  if (metadata.deletionTimestamp)
    return Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  return Date.parse(metadata.creationTimestamp);
}

/** How often pods of this pod's index had failed before it: those that count, and those that a policy ignores. */
export function earlierFailures(pod: Readonly<Pod>): { counted: number; ignored: number } {
  const count = (name: string) => {
    const text = pod.metadata.annotations?.[name] ?? "";
    return /^\d{1,9}$/.test(text) ? Number(text) : 0;
  };
  return { counted: count(FAILURES), ignored: count(IGNORED_FAILURES) };
}

/** What a new pod of one index is to know. */
export interface NewIndex {
  readonly index: number;
  /** With backoffLimitPerIndex: the failures of the pods before it. */
  readonly failures?: { readonly counted: number; readonly ignored: number };
}

/** The next pod of a Job, of one index where the Job is Indexed. */
export function podOfJob(job: Readonly<Job>, place: NewIndex | undefined): Draft<Pod> {
  const { template } = job.spec;
  const pod = podFromTemplate(job, jobs, place ? withIndexVariable(template) : template);
  const finalizers = new Set([...(pod.metadata?.finalizers ?? []), TRACKING]);
  const metadata = { ...pod.metadata, finalizers: [...finalizers] };
  if (!place) return { ...pod, metadata };
  const index = String(place.index);
  const { counted, ignored = 0 } = place.failures ?? {};
  return {
    metadata: {
      ...metadata,
      generateName: indexedPrefix(job.metadata.name, index),
      labels: { ...metadata.labels, [COMPLETION_INDEX]: index },
      annotations: {
        ...metadata.annotations,
        [COMPLETION_INDEX]: index,
        ...(counted === undefined ? {} : { [FAILURES]: String(counted) }),
        ...(ignored > 0 ? { [IGNORED_FAILURES]: String(ignored) } : {}),
      },
    },
    spec: { ...pod.spec, hostname: `${job.metadata.name}-${index}` },
  };
}

function indexedPrefix(name: string, index: string): string {
  const end = `-${index}-`;
  return `${name.slice(0, LONGEST_PREFIX - end.length)}${end}`;
}

function withIndexVariable(template: PodTemplateSpec): PodTemplateSpec {
  if (!template.spec) return template;
  const fieldRef = { apiVersion: "v1", fieldPath: `metadata.labels['${COMPLETION_INDEX}']` };
  const variable = { name: INDEX_VARIABLE, valueFrom: { fieldRef } };
  const withVariable = <C extends { env?: { name: string }[] }>(container: C): C =>
    container.env?.some(({ name }) => name === INDEX_VARIABLE)
      ? container
      : { ...container, env: [...(container.env ?? []), variable] };
  const { containers, initContainers } = template.spec;
  return {
    ...template,
    spec: {
      ...template.spec,
      containers: containers.map(withVariable),
      ...(initContainers ? { initContainers: initContainers.map(withVariable) } : {}),
    },
  };
}
