// Claims, volumes and storage classes, in words.
import type {
  NodeSelectorTerm,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeSpec,
  Pod,
  StorageClass,
} from "../../api/generated/types.ts";
import { humanDuration } from "../../api/kind.ts";
import { pods } from "../../api/kinds/pod.ts";
import { DEFAULT_CLASS, STORAGE_CLASS_BETA } from "../../api/names.ts";
import type { KubeObject } from "../../api/object.ts";
import { formatLabels } from "../../api/selectors.ts";
import { systemClock } from "../../base/clock.ts";
import {
  annotationsLines,
  type Describe,
  dateText,
  finalizersLine,
  flagText,
  head,
  labelsLines,
  listLines,
} from "./common.ts";

const SHORT_MODES: readonly (readonly [string, string])[] = [
  ["ReadWriteOnce", "RWO"],
  ["ReadOnlyMany", "ROX"],
  ["ReadWriteMany", "RWX"],
  ["ReadWriteOncePod", "RWOP"],
];

const modesText = (modes: readonly string[] = []): string =>
  SHORT_MODES.flatMap(([mode, short]) => (modes.includes(mode) ? [short] : [])).join(",");

function phaseLine({ metadata }: KubeObject, phase = ""): string {
  const { deletionTimestamp } = metadata;
  if (!deletionTimestamp) return `Status:\t${phase}\n`;
  return `Status:\tTerminating (lasts ${humanDuration(systemClock.now() - Date.parse(deletionTimestamp))})\n`;
}

const classOf = ({ metadata }: KubeObject, name = ""): string =>
  metadata.annotations?.[STORAGE_CLASS_BETA] ?? name;

export const describeClaim: Describe<PersistentVolumeClaim> = async (claim, client) => {
  const { spec, status, metadata } = claim;
  const { items } = await client.list<Pod>(pods, { namespace: metadata.namespace ?? "" });
  const isBound = Boolean(spec?.volumeName);
  const { apiGroup, kind, name } = spec?.dataSource ?? {};
  return [
    head(claim),
    `StorageClass:\t${classOf(claim, spec?.storageClassName)}\n`,
    phaseLine(claim, status?.phase),
    `Volume:\t${spec?.volumeName ?? ""}\n`,
    labelsLines(claim),
    annotationsLines(claim),
    finalizersLine(claim),
    `Capacity:\t${isBound ? (status?.capacity?.["storage"] ?? "0") : ""}\n`,
    `Access Modes:\t${isBound ? modesText(status?.accessModes) : ""}\n`,
    spec?.volumeMode ? `VolumeMode:\t${spec.volumeMode}\n` : "",
    spec?.dataSource
      ? `DataSource:\n${apiGroup ? `  APIGroup:\t${apiGroup}\n` : ""}  Kind:\t${kind}\n  Name:\t${name}\n`
      : "",
    listLines(
      "Used By",
      items.filter((pod) => usesClaim(pod, metadata.name)).map((pod) => pod.metadata.name),
    ),
    claimConditions(status?.conditions),
  ].join("");
};

/** Directly, or as the claim of an ephemeral volume, which is called after the pod and the volume. */
const usesClaim = ({ metadata, spec }: Pod, claim: string): boolean =>
  (spec.volumes ?? []).some(
    ({ name, persistentVolumeClaim, ephemeral }) =>
      persistentVolumeClaim?.claimName === claim || (ephemeral && `${metadata.name}-${name}` === claim),
  );

function claimConditions(
  conditions: NonNullable<PersistentVolumeClaim["status"]>["conditions"] = [],
): string {
  if (conditions.length === 0) return "";
  const rows = conditions.map(
    ({ type, status, lastProbeTime, lastTransitionTime, reason = "", message = "" }) =>
      `  ${type} \t${status} \t${goDate(lastProbeTime)} \t${goDate(lastTransitionTime)} \t${reason} \t${message}\n`,
  );
  return `Conditions:\n  Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage\n  ----\t------\t-----------------\t------------------\t------\t-------\n${rows.join("")}`;
}

// What Go's zero time reads as.
const goDate = (time: string | undefined): string =>
  time ? dateText(time) : "Mon, 01 Jan 0001 00:00:00 +0000";

export const describeVolume: Describe<PersistentVolume> = (volume) => {
  const { spec, status, metadata } = volume;
  const claim = spec?.claimRef;
  return [
    `Name:\t${metadata.name}\n`,
    labelsLines(volume),
    annotationsLines(volume),
    finalizersLine(volume),
    `StorageClass:\t${classOf(volume, spec?.storageClassName)}\n`,
    phaseLine(volume, status?.phase),
    `Claim:\t${claim ? `${claim.namespace}/${claim.name}` : ""}\n`,
    `Reclaim Policy:\t${spec?.persistentVolumeReclaimPolicy ?? ""}\n`,
    `Access Modes:\t${modesText(spec?.accessModes)}\n`,
    spec?.volumeMode ? `VolumeMode:\t${spec.volumeMode}\n` : "",
    `Capacity:\t${spec?.capacity?.["storage"] ?? "0"}\n`,
    affinityLines(spec?.nodeAffinity),
    `Message:\t${status?.message ?? ""}\n`,
    `Source:\n${sourceFields(spec)
      .map(([name, value]) => `    ${name}:\t${value}\n`)
      .join("")}`,
  ].join("");
};

function affinityLines(affinity: PersistentVolumeSpec["nodeAffinity"]): string {
  if (!affinity) return "Node Affinity:\t<none>\n";
  const terms = affinity.required?.nodeSelectorTerms ?? [];
  if (terms.length === 0) return "Node Affinity:\t\n  Required Terms:\t<none>\n";
  const each = terms.map((term, index) => `    Term ${index}:\t${termText(term)}\n`);
  return `Node Affinity:\t\n  Required Terms:\t\n${each.join("")}`;
}

const termText = ({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm): string =>
  [...matchExpressions, ...matchFields]
    .map(({ key, operator, values = [] }) => {
      const among = values.length > 0 ? ` [${values.join(", ")}]` : "";
      return `${key} ${operator.toLowerCase()}${among}`;
    })
    .join("\n\t") || "<none>";

function sourceFields(spec: PersistentVolumeSpec | undefined): (readonly [string, unknown])[] {
  const { hostPath, local, nfs, csi } = spec ?? {};
  if (hostPath)
    return [
      ["Type", "HostPath (bare host directory volume)"],
      ["Path", hostPath.path],
      ["HostPathType", hostPath.type ?? "<none>"],
    ];
  if (local)
    return [
      ["Type", "LocalVolume (a persistent volume backed by local storage on a node)"],
      ["Path", local.path],
    ];
  if (nfs)
    return [
      ["Type", "NFS (an NFS mount that lasts the lifetime of a pod)"],
      ["Server", nfs.server],
      ["Path", nfs.path],
      ["ReadOnly", nfs.readOnly ?? false],
    ];
  if (csi) {
    const attributes = Object.entries(csi.volumeAttributes ?? {}).map(([name, value]) => `${name}=${value}`);
    return [
      ["Type", "CSI (a Container Storage Interface (CSI) volume source)"],
      ["Driver", csi.driver],
      ["FSType", csi.fsType ?? ""],
      ["VolumeHandle", csi.volumeHandle],
      ["ReadOnly", csi.readOnly ?? false],
      ["VolumeAttributes", `    ${attributes.sort().join("\n\t    ") || "<none>"}`],
    ];
  }
  return [["Type", "<unknown>"]];
}

export const describeStorageClass: Describe<StorageClass> = (storageClass) => {
  const { metadata, provisioner, parameters, mountOptions = [], allowedTopologies } = storageClass;
  const { allowVolumeExpansion, reclaimPolicy, volumeBindingMode } = storageClass;
  const terms = (allowedTopologies ?? []).map(({ matchLabelExpressions = [] }, index) => {
    const each = matchLabelExpressions.map(({ key, values }) => `${key} in [${values.join(", ")}]`);
    return `  Term ${index}:\t${each.join("\n\t") || "<none>"}\n`;
  });
  return [
    `Name:\t${metadata.name}\n`,
    `IsDefaultClass:\t${metadata.annotations?.[DEFAULT_CLASS] === "true" ? "Yes" : "No"}\n`,
    `Annotations:\t${formatLabels(metadata.annotations)}\n`,
    `Provisioner:\t${provisioner}\n`,
    `Parameters:\t${formatLabels(parameters)}\n`,
    `AllowVolumeExpansion:\t${flagText(allowVolumeExpansion)}\n`,
    mountOptions.length > 0
      ? `MountOptions:\n${mountOptions.map((option) => `  ${option}\n`).join("")}`
      : "MountOptions:\t<none>\n",
    reclaimPolicy ? `ReclaimPolicy:\t${reclaimPolicy}\n` : "",
    volumeBindingMode ? `VolumeBindingMode:\t${volumeBindingMode}\n` : "",
    allowedTopologies ? `AllowedTopologies:\t${terms.length > 0 ? `\n${terms.join("")}` : "<none>\n"}` : "",
  ].join("");
};
