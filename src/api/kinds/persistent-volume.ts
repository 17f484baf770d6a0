// PersistentVolume: storage that outlives pods. Made by an administrator or by a provisioner, given to one claim by the binder.
import { canonicalAmounts } from "../../base/quantity.ts";
import type { PersistentVolume } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn, notActedOnText } from "../kind.ts";
import { PV_PROTECTION } from "../names.ts";
import type { Resource } from "../resource.ts";
import { shortAccessModes } from "../validation/storage.ts";
import { sourcesOf } from "../volume-sources.ts";
import { validateVolume, validateVolumeUpdate } from "./persistent-volume/validate.ts";

export const persistentVolumes: Resource<PersistentVolume> = {
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  namespaced: false,
};

const SERVED = ["hostPath", "local"];

export const persistentVolumeKind: KindDefinition<PersistentVolume> = {
  resource: persistentVolumes,
  schema: "io.k8s.api.core.v1.PersistentVolume",
  singular: "persistentvolume",
  shortNames: ["pv"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  hasGeneration: false,
  defaults(volume) {
    volume.spec ??= {};
    const { spec } = volume;
    spec.persistentVolumeReclaimPolicy ??= "Retain";
    spec.volumeMode ??= "Filesystem";
    canonicalAmounts(spec.capacity);
    if (spec.hostPath) spec.hostPath.type ??= "";
    volume.status ??= {};
    volume.status.phase ??= "Pending";
  },
  prepareCreate(volume) {
    const { metadata } = volume;
    volume.status = { phase: "Pending", lastPhaseTransitionTime: metadata.creationTimestamp };
    const finalizers = metadata.finalizers ?? [];
    // StorageObjectInUseProtection.
    if (!finalizers.includes(PV_PROTECTION)) metadata.finalizers = [...finalizers, PV_PROTECTION];
  },
  validate: (volume, { subresource }) => (subresource === "status" ? [] : validateVolume(volume)),
  validateUpdate: (volume, old, { subresource }) =>
    subresource === "status" ? [] : validateVolumeUpdate(volume, old),
  warnings({ spec }, old) {
    if (old) return [];
    const unserved = [
      ...sourcesOf(spec).filter((source) => !SERVED.includes(source)),
      ...(spec.mountOptions?.length ? ["mountOptions"] : []),
      ...(spec.volumeAttributesClassName ? ["volumeAttributesClassName"] : []),
    ];
    return unserved.map((field) => notActedOnText(`spec.${field}`));
  },
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "Capacity",
      type: "string",
      priority: 0,
      description: "How much the volume holds.",
      value: ({ spec }) => spec.capacity?.["storage"] ?? "0",
    },
    {
      name: "Access Modes",
      type: "string",
      priority: 0,
      description: "How the volume may be mounted.",
      value: ({ spec }) => shortAccessModes(spec.accessModes),
    },
    {
      name: "Reclaim Policy",
      type: "string",
      priority: 0,
      description: "What becomes of the volume when its claim is deleted.",
      value: ({ spec }) => spec.persistentVolumeReclaimPolicy ?? "",
    },
    {
      name: "Status",
      type: "string",
      priority: 0,
      description: "Whether a claim has the volume.",
      value: ({ metadata, status }) => (metadata.deletionTimestamp ? "Terminating" : (status?.phase ?? "")),
    },
    {
      name: "Claim",
      type: "string",
      priority: 0,
      description: "The claim that has the volume.",
      value: ({ spec: { claimRef } }) =>
        claimRef ? `${claimRef.namespace ?? ""}/${claimRef.name ?? ""}` : "",
    },
    {
      name: "StorageClass",
      type: "string",
      priority: 0,
      description: "The class of the volume.",
      value: ({ spec }) => spec.storageClassName ?? "",
    },
    {
      name: "VolumeAttributesClass",
      type: "string",
      priority: 0,
      description: "The attributes class of the volume.",
      value: ({ spec }) => spec.volumeAttributesClassName ?? "<unset>",
    },
    {
      name: "Reason",
      type: "string",
      priority: 0,
      description: "Why the volume is in its phase.",
      value: ({ status }) => status?.reason ?? "",
    },
    /* @__PURE__ */ ageColumn(),
    {
      name: "VolumeMode",
      type: "string",
      priority: 1,
      description: "Filesystem or Block.",
      value: ({ spec }) => spec.volumeMode ?? "<unset>",
    },
  ],
};
