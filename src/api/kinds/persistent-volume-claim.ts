// PersistentVolumeClaim: a pod's wish for storage. Its binding is the volume binder's; that nobody takes it from under a pod
// is the protection finalizer's.
import type { PersistentVolumeClaim } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn, notActedOnText } from "../kind.ts";
import { PVC_PROTECTION } from "../names.ts";
import type { Resource } from "../resource.ts";
import { shortAccessModes } from "../validation/storage.ts";
import { defaultClaimSpec, validateClaimSpec } from "./persistent-volume-claim/claim-spec.ts";
import { validateClaimUpdate } from "./persistent-volume-claim/validate-update.ts";

export const persistentVolumeClaims: Resource<PersistentVolumeClaim> = {
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  namespaced: true,
};

const NOT_ACTED_ON = ["dataSource", "dataSourceRef", "volumeAttributesClassName"] as const;

export const persistentVolumeClaimKind: KindDefinition<PersistentVolumeClaim> = {
  resource: persistentVolumeClaims,
  schema: "io.k8s.api.core.v1.PersistentVolumeClaim",
  singular: "persistentvolumeclaim",
  shortNames: ["pvc"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  hasGeneration: false,
  defaults(claim) {
    claim.spec ??= {};
    defaultClaimSpec(claim.spec);
    claim.status ??= {};
    claim.status.phase ??= "Pending";
  },
  prepareCreate(claim) {
    claim.status = { phase: "Pending" };
    // StorageObjectInUseProtection.
    const finalizers = claim.metadata.finalizers ?? [];
    if (!finalizers.includes(PVC_PROTECTION)) claim.metadata.finalizers = [...finalizers, PVC_PROTECTION];
  },
  validate: ({ spec }, { subresource }) => (subresource === "status" ? [] : validateClaimSpec(spec, "spec")),
  validateUpdate: (claim, old, { subresource }) =>
    subresource === "status" ? [] : validateClaimUpdate(claim, old),
  warnings: ({ spec }, old) =>
    old
      ? []
      : NOT_ACTED_ON.filter((field) => spec[field] !== undefined).map((field) =>
          notActedOnText(`spec.${field}`),
        ),
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "Status",
      type: "string",
      priority: 0,
      description: "Whether the claim has its volume.",
      value: ({ metadata, status }) => (metadata.deletionTimestamp ? "Terminating" : (status?.phase ?? "")),
    },
    {
      name: "Volume",
      type: "string",
      priority: 0,
      description: "The volume that the claim has.",
      value: ({ spec }) => spec.volumeName ?? "",
    },
    {
      name: "Capacity",
      type: "string",
      priority: 0,
      description: "How much the volume holds.",
      value: ({ spec, status }) => (spec.volumeName ? (status?.capacity?.["storage"] ?? "0") : ""),
    },
    {
      name: "Access Modes",
      type: "string",
      priority: 0,
      description: "How the volume may be mounted.",
      value: ({ spec, status }) => (spec.volumeName ? shortAccessModes(status?.accessModes) : ""),
    },
    {
      name: "StorageClass",
      type: "string",
      priority: 0,
      description: "The class that the claim asks for.",
      value: ({ spec }) => spec.storageClassName ?? "",
    },
    {
      name: "VolumeAttributesClass",
      type: "string",
      priority: 0,
      description: "The attributes class that the claim asks for.",
      value: ({ spec }) => spec.volumeAttributesClassName ?? "<unset>",
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
