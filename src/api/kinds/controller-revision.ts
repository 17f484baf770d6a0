import type { ControllerRevision } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import { controllerOf } from "../object.ts";
import type { Resource } from "../resource.ts";
import { type FieldError, required } from "../status-error.ts";
import { validateNonNegative } from "../validation/numbers.ts";
import { validateImmutable } from "../validation/object-meta.ts";

export const controllerRevisions: Resource<ControllerRevision> = {
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  namespaced: true,
};

export const controllerRevisionKind: KindDefinition<ControllerRevision> = {
  resource: controllerRevisions,
  schema: "io.k8s.api.apps.v1.ControllerRevision",
  singular: "controllerrevision",
  nameRule: "dns-subdomain",
  defaults(object) {
    // Written even when it is zero.
    object.revision ??= 0;
  },
  validate(revision) {
    const errors: FieldError[] = [];
    if (revision.data === undefined) errors.push(required("data", "data is mandatory"));
    return [...errors, ...validateNonNegative(revision.revision, "revision")];
  },
  validateUpdate: (revision, old) => validateImmutable(revision.data, old.data, "data"),
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "Controller",
      type: "string",
      priority: 0,
      description: "Whose history it belongs to.",
      value: (revision) => {
        const owner = controllerOf(revision);
        if (!owner) return "<none>";
        const group = owner.apiVersion.includes("/") ? `.${owner.apiVersion.split("/")[0]}` : "";
        return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
      },
    },
    {
      name: "Revision",
      type: "integer",
      priority: 0,
      description: "Its number in that history.",
      value: ({ revision }) => revision,
    },
    /* @__PURE__ */ ageColumn(),
  ],
};
