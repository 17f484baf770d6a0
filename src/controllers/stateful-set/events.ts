// The Events of StatefulSets, worded as Kubernetes words them.
import type { EventText } from "../shared/pod-events.ts";

type Verb = "create" | "update" | "delete";
const REASONS = { create: "Create", update: "Update", delete: "Delete" } as const;

export const podDone = (verb: Verb, pod: string, set: string): EventText => ({
  type: "Normal",
  reason: `Successful${REASONS[verb]}`,
  message: `${verb} Pod ${pod} in StatefulSet ${set} successful`,
});

export const podFailed = (verb: Verb, pod: string, set: string, why: string): EventText => ({
  type: "Warning",
  reason: `Failed${REASONS[verb]}`,
  message: `${verb} Pod ${pod} in StatefulSet ${set} failed error: ${why}`,
});

export const claimDone = (claim: string, pod: string, set: string): EventText => ({
  type: "Normal",
  reason: "SuccessfulCreate",
  message: `create Claim ${claim} Pod ${pod} in StatefulSet ${set} success`,
});

export const claimFailed = (claim: string, pod: string, set: string, why: string): EventText => ({
  type: "Warning",
  reason: "FailedCreate",
  message: `create Claim ${claim} for Pod ${pod} in StatefulSet ${set} failed error: ${why}`,
});

// Unlike Kubernetes since 1.31, which deletes such pods without a word: whoever breaks pods on purpose wants to see why they come back.
export const recreatingFailed = (setKey: string, pod: string): EventText => ({
  type: "Warning",
  reason: "RecreatingFailedPod",
  message: `StatefulSet ${setKey} is recreating failed Pod ${pod}`,
});

export const recreatingTerminated = (setKey: string, pod: string): EventText => ({
  type: "Normal",
  reason: "RecreatingTerminatedPod",
  message: `StatefulSet ${setKey} is recreating terminated Pod ${pod}`,
});
