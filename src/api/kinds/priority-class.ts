import type { PriorityClass } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { type FieldError, forbiddenField, notSupported } from "../status-error.ts";
import { validateImmutable } from "../validation/object-meta.ts";

export const priorityClasses: Resource<PriorityClass> = {
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  namespaced: false,
};

const SYSTEM_PREFIX = "system-";
const HIGHEST_USER_VALUE = 1_000_000_000;
const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  "system-node-critical": 2_000_001_000,
  "system-cluster-critical": 2_000_000_000,
};
const POLICIES = ["Never", "PreemptLowerPriority"];

export const priorityClassKind: KindDefinition<PriorityClass> = {
  resource: priorityClasses,
  schema: "io.k8s.api.scheduling.v1.PriorityClass",
  singular: "priorityclass",
  shortNames: ["pc"],
  nameRule: "dns-subdomain",
  defaults(priorityClass) {
    priorityClass.preemptionPolicy ??= "PreemptLowerPriority";
    priorityClass.value ??= 0;
  },
  validate({ metadata, value = 0, preemptionPolicy }) {
    const errors: FieldError[] = [];
    if (metadata.name.startsWith(SYSTEM_PREFIX)) {
      if (SYSTEM_CLASSES[metadata.name] !== value) {
        errors.push(
          forbiddenField(
            "metadata.name",
            "priority class names with 'system-' prefix are reserved for system use only",
          ),
        );
      }
    } else if (value > HIGHEST_USER_VALUE) {
      errors.push(
        forbiddenField("value", `maximum allowed value of a user defined priority is ${HIGHEST_USER_VALUE}`),
      );
    }
    if (preemptionPolicy && !POLICIES.includes(preemptionPolicy)) {
      errors.push(notSupported("preemptionPolicy", preemptionPolicy, POLICIES));
    }
    return errors;
  },
  validateUpdate(priorityClass, old) {
    const errors: FieldError[] = [];
    if (priorityClass.value !== old.value) {
      errors.push(forbiddenField("value", "may not be changed in an update."));
    }
    const { preemptionPolicy } = priorityClass;
    return [...errors, ...validateImmutable(preemptionPolicy, old.preemptionPolicy, "preemptionPolicy")];
  },
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "Value",
      type: "integer",
      priority: 0,
      description: "The priority that pods of this class get.",
      value: (priorityClass) => priorityClass.value ?? 0,
    },
    {
      name: "Global-Default",
      type: "boolean",
      priority: 0,
      description: "Whether pods without a class get this one.",
      value: (priorityClass) => priorityClass.globalDefault ?? false,
    },
    /* @__PURE__ */ ageColumn(),
    {
      name: "PreemptionPolicy",
      type: "string",
      priority: 0,
      description: "Whether its pods may preempt others.",
      value: (priorityClass) => priorityClass.preemptionPolicy ?? "",
    },
  ],
};
