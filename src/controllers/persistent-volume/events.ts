// The events of Kubernetes' persistentvolume-controller.
export interface ClaimEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

const normal = (reason: string, message: string): ClaimEvent => ({ type: "Normal", reason, message });
const warning = (reason: string, message: string): ClaimEvent => ({ type: "Warning", reason, message });

export const NO_VOLUME = normal(
  "FailedBinding",
  "no persistent volumes available for this claim and no storage class is set",
);
export const LOST_REFERENCE = warning(
  "ClaimLost",
  "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!",
);
export const LOST_VOLUME = warning(
  "ClaimLost",
  "Bound claim has lost its PersistentVolume. Data on the volume is lost!",
);
export const CLAIM_MISBOUND = warning(
  "ClaimMisbound",
  "Two claims are bound to the same volume, this one is bound incorrectly",
);

export const alreadyBound = (volume: string): ClaimEvent =>
  warning("FailedBinding", `volume "${volume}" already bound to a different claim.`);

export const volumeMismatch = (volume: string, why: string): ClaimEvent =>
  warning("VolumeMismatch", `Cannot bind to requested volume "${volume}": ${why}`);

export const provisioningFailed = (why: string): ClaimEvent => warning("ProvisioningFailed", why);

export const externalProvisioning = (provisioner: string): ClaimEvent =>
  normal(
    "ExternalProvisioning",
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
  );

export function waitingForConsumer(pods: readonly string[]): ClaimEvent {
  if (pods.length === 0) {
    return normal("WaitForFirstConsumer", "waiting for first consumer to be created before binding");
  }
  const who = pods.length === 1 ? `pod ${pods[0]}` : `pods ${pods.join(",")}`;
  return normal("WaitForPodScheduled", `waiting for ${who} to be scheduled`);
}
