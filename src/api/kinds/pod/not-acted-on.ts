// What manifests may say and kubemu does not act on, as data: the server answers with a Warning for each.
// A field that becomes supported is taken out here.

export interface NotActedOn {
  /** Path below the pod spec, the container or the volume. */
  readonly field: string;
  /** The value that asks for nothing. */
  readonly unless?: unknown;
}

export const podFieldsNotActedOn: readonly NotActedOn[] = [
  { field: "hostIPC", unless: false },
  { field: "hostPID", unless: false },
  { field: "hostUsers", unless: true },
  { field: "imagePullSecrets" },
  { field: "os" },
  { field: "resourceClaims" },
  { field: "resources" },
  { field: "runtimeClassName" },
  { field: "shareProcessNamespace", unless: false },
  { field: "securityContext.appArmorProfile" },
  { field: "securityContext.fsGroup" },
  { field: "securityContext.fsGroupChangePolicy" },
  { field: "securityContext.runAsGroup" },
  { field: "securityContext.runAsNonRoot", unless: false },
  { field: "securityContext.runAsUser" },
  { field: "securityContext.seLinuxChangePolicy" },
  { field: "securityContext.seLinuxOptions" },
  { field: "securityContext.seccompProfile" },
  { field: "securityContext.supplementalGroups" },
  { field: "securityContext.supplementalGroupsPolicy" },
  { field: "securityContext.sysctls" },
  { field: "securityContext.windowsOptions" },
];

export const containerFieldsNotActedOn: readonly NotActedOn[] = [
  { field: "resizePolicy" },
  { field: "securityContext.allowPrivilegeEscalation", unless: true },
  { field: "securityContext.appArmorProfile" },
  { field: "securityContext.capabilities" },
  { field: "securityContext.privileged", unless: false },
  { field: "securityContext.procMount" },
  { field: "securityContext.readOnlyRootFilesystem", unless: false },
  { field: "securityContext.runAsGroup" },
  { field: "securityContext.runAsNonRoot", unless: false },
  { field: "securityContext.runAsUser" },
  { field: "securityContext.seLinuxOptions" },
  { field: "securityContext.seccompProfile" },
  { field: "securityContext.windowsOptions" },
  { field: "volumeDevices" },
];

/** Sources for which kubemu has no storage: a pod that mounts one never starts. */
export const volumeFieldsNotActedOn: readonly NotActedOn[] = [
  { field: "awsElasticBlockStore" },
  { field: "azureDisk" },
  { field: "azureFile" },
  { field: "cephfs" },
  { field: "cinder" },
  { field: "csi" },
  { field: "emptyDir.medium", unless: "" },
  { field: "emptyDir.sizeLimit" },
  { field: "fc" },
  { field: "flexVolume" },
  { field: "flocker" },
  { field: "gcePersistentDisk" },
  { field: "gitRepo" },
  { field: "glusterfs" },
  { field: "image" },
  { field: "iscsi" },
  { field: "nfs" },
  { field: "photonPersistentDisk" },
  { field: "portworxVolume" },
  { field: "quobyte" },
  { field: "rbd" },
  { field: "scaleIO" },
  { field: "storageos" },
  { field: "vsphereVolume" },
];
