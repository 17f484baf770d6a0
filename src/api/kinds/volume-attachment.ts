// VolumeAttachment: stored for clients that ask for it; kubemu's volumes are attached to no node.
import type { VolumeAttachment, VolumeAttachmentSource } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { type FieldError, forbiddenField, invalid, required } from "../status-error.ts";
import { validateDriverName } from "../validation/csi.ts";
import { dnsSubdomainErrors } from "../validation/names.ts";
import { validateImmutable } from "../validation/object-meta.ts";

export const volumeAttachments: Resource<VolumeAttachment> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  plural: "volumeattachments",
  namespaced: false,
};

const validateName = (name: string | undefined, field: string): FieldError[] =>
  name ? dnsSubdomainErrors(name).map((why) => invalid(field, name, why)) : [required(field)];

function validateSource(source: VolumeAttachmentSource = {}): FieldError[] {
  const { inlineVolumeSpec, persistentVolumeName } = source;
  const why = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  if (inlineVolumeSpec && persistentVolumeName) return [forbiddenField("spec.source", why)];
  if (!inlineVolumeSpec && persistentVolumeName === undefined) return [required("spec.source", why)];
  return inlineVolumeSpec ? [] : validateName(persistentVolumeName, "spec.source.persistentVolumeName");
}

export const volumeAttachmentKind: KindDefinition<VolumeAttachment> = {
  resource: volumeAttachments,
  schema: "io.k8s.api.storage.v1.VolumeAttachment",
  singular: "volumeattachment",
  nameRule: "dns-subdomain",
  hasStatus: true,
  hasGeneration: false,
  validate: ({ spec }) => [
    ...validateDriverName(spec?.attacher, "spec.attacher"),
    ...validateName(spec?.nodeName, "spec.nodeName"),
    ...validateSource(spec?.source),
  ],
  validateUpdate: ({ spec }, old) => validateImmutable(spec, old.spec, "spec"),
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "Attacher",
      type: "string",
      priority: 0,
      description: "The driver that attaches the volume.",
      value: ({ spec }) => spec.attacher,
    },
    {
      name: "PV",
      type: "string",
      priority: 0,
      description: "The volume.",
      value: ({ spec }) => spec.source.persistentVolumeName ?? "",
    },
    {
      name: "Node",
      type: "string",
      priority: 0,
      description: "The node that gets it.",
      value: ({ spec }) => spec.nodeName,
    },
    {
      name: "Attached",
      type: "boolean",
      priority: 0,
      description: "Whether the node has it.",
      value: ({ status }) => status?.attached ?? false,
    },
    /* @__PURE__ */ ageColumn(),
  ],
};
