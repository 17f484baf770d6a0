// StorageClass: by whom, and on which terms, the volumes of its claims are made.
import type { StorageClass } from "../generated/types.ts";
import { ageColumn, type KindDefinition, notActedOnText } from "../kind.ts";
import { labelKeyErrors } from "../label-syntax.ts";
import type { Resource } from "../resource.ts";
import { type FieldError, forbiddenField, invalid, notSupported, required } from "../status-error.ts";
import { validateImmutable } from "../validation/object-meta.ts";
import { isDefaultClass } from "../volume-match.ts";

export const storageClasses: Resource<StorageClass> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  plural: "storageclasses",
  namespaced: false,
};

const RECLAIM_POLICIES = ["Delete", "Retain"];
const BINDING_MODES = ["Immediate", "WaitForFirstConsumer"];
const NOT_ACTED_ON = ["mountOptions", "parameters"] as const;

export const storageClassKind: KindDefinition<StorageClass> = {
  resource: storageClasses,
  schema: "io.k8s.api.storage.v1.StorageClass",
  singular: "storageclass",
  shortNames: ["sc"],
  nameRule: "dns-subdomain",
  defaults(storageClass) {
    storageClass.reclaimPolicy ??= "Delete";
    storageClass.volumeBindingMode ??= "Immediate";
  },
  validate({ provisioner, reclaimPolicy, volumeBindingMode, parameters = {} }) {
    const errors: FieldError[] = [];
    if (!provisioner) errors.push(required("provisioner"));
    else {
      for (const why of labelKeyErrors(provisioner.toLowerCase()))
        errors.push(invalid("provisioner", provisioner, why));
    }
    if (Object.hasOwn(parameters, "")) errors.push(invalid("parameters", "", "field can not be empty."));
    if (reclaimPolicy && !RECLAIM_POLICIES.includes(reclaimPolicy))
      errors.push(notSupported("reclaimPolicy", reclaimPolicy, RECLAIM_POLICIES));
    if (!BINDING_MODES.includes(volumeBindingMode ?? ""))
      errors.push(notSupported("volumeBindingMode", volumeBindingMode ?? "", BINDING_MODES));
    return errors;
  },
  validateUpdate(storageClass, old) {
    const fixed = (["parameters", "provisioner", "reclaimPolicy"] as const).flatMap((field) =>
      validateImmutable(storageClass[field], old[field], field).map(() =>
        forbiddenField(field, `updates to ${field} are forbidden.`),
      ),
    );
    return [
      ...fixed,
      ...validateImmutable(storageClass.volumeBindingMode, old.volumeBindingMode, "volumeBindingMode"),
    ];
  },
  warnings: (storageClass) =>
    NOT_ACTED_ON.filter((field) => Object.keys(storageClass[field] ?? {}).length > 0).map(notActedOnText),
  columns: [
    {
      name: "Name",
      type: "string",
      format: "name",
      priority: 0,
      description: "Name of the class, and whether it is the default.",
      value: (storageClass) =>
        isDefaultClass(storageClass) ? `${storageClass.metadata.name} (default)` : storageClass.metadata.name,
    },
    {
      name: "Provisioner",
      type: "string",
      priority: 0,
      description: "Who makes the volumes.",
      value: ({ provisioner }) => provisioner,
    },
    {
      name: "ReclaimPolicy",
      type: "string",
      priority: 0,
      description: "What becomes of a volume whose claim is deleted.",
      value: ({ reclaimPolicy }) => reclaimPolicy ?? "Delete",
    },
    {
      name: "VolumeBindingMode",
      type: "string",
      priority: 0,
      description: "Whether a claim is bound at once, or when a pod that uses it is scheduled.",
      value: ({ volumeBindingMode }) => volumeBindingMode ?? "Immediate",
    },
    {
      name: "AllowVolumeExpansion",
      type: "boolean",
      priority: 0,
      description: "Whether claims may ask for more later.",
      value: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    },
    /* @__PURE__ */ ageColumn(),
  ],
};
