// Jobs and their pods for tests, as the server would have defaulted them.
import type { Job, JobSpec, JobStatus, Pod } from "../../../../src/api/generated/types.ts";
import { timestamp } from "../../../../src/base/clock.ts";
import { TRACKING } from "../../../../src/controllers/job/pods.ts";

export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

export function makeJob(spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job {
  const name = "pi";
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name,
      namespace: "default",
      uid: "uid-pi",
      generation: 1,
      resourceVersion: "1",
      creationTimestamp: timestamp(NOW),
    },
    spec: {
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      completionMode: "NonIndexed",
      suspend: false,
      podReplacementPolicy: spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed",
      selector: { matchLabels: { "job-name": name } },
      template: {
        metadata: { labels: { "job-name": name } } as unknown as Pod["metadata"],
        spec: { restartPolicy: "Never", containers: [{ name: "c", image: "busybox" }] },
      },
      ...spec,
    },
    status,
  };
}

export interface JobPodOptions {
  readonly phase?: string;
  readonly index?: number;
  readonly exitCode?: number;
  /** Seconds after NOW at which its container ended. */
  readonly endedAt?: number;
  readonly tracked?: boolean;
  readonly terminating?: boolean;
  readonly failures?: number;
  readonly restarts?: number;
}

export function jobPod(uid: string, options: JobPodOptions = {}): Pod {
  const { phase = "Running", index, exitCode, endedAt = 0, tracked = true, failures } = options;
  const at = "batch.kubernetes.io/job-completion-index";
  const annotations = {
    ...(index === undefined ? {} : { [at]: String(index) }),
    ...(failures === undefined ? {} : { "batch.kubernetes.io/job-index-failure-count": String(failures) }),
  };
  const finishedAt = timestamp(NOW + endedAt * 1000);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: uid,
      namespace: "default",
      uid,
      resourceVersion: "1",
      creationTimestamp: timestamp(NOW),
      labels: { "job-name": "pi" },
      annotations,
      ...(tracked ? { finalizers: [TRACKING] } : {}),
      ...(options.terminating ? { deletionTimestamp: timestamp(NOW) } : {}),
      ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: "pi", uid: "uid-pi", controller: true }],
    },
    spec: { nodeName: "n1", containers: [{ name: "c", image: "busybox" }] },
    status: {
      phase,
      containerStatuses: [
        {
          name: "c",
          image: "busybox",
          imageID: "",
          ready: phase === "Running",
          restartCount: options.restarts ?? 0,
          ...(exitCode === undefined ? {} : { state: { terminated: { exitCode, finishedAt } } }),
        },
      ],
    },
  };
}
