// RuntimeClass: stored; admission (src/server/admission/runtime-class.ts) checks that a pod's exists and adds what it says.
import type { RuntimeClass } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn, textColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { type FieldError, invalid } from "../status-error.ts";
import { validateLabels } from "../validation/labels.ts";
import { dnsLabelErrors } from "../validation/names.ts";
import { validateImmutable } from "../validation/object-meta.ts";
import { validateResources } from "./pod/validate-resources.ts";
import { validateTolerations } from "./pod/validate-scheduling.ts";

export const runtimeClasses: Resource<RuntimeClass> = {
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
  namespaced: false,
};

export const runtimeClassKind: KindDefinition<RuntimeClass> = {
  resource: runtimeClasses,
  schema: "io.k8s.api.node.v1.RuntimeClass",
  singular: "runtimeclass",
  nameRule: "dns-subdomain",
  createsOnUpdate: true,
  validate({ handler, overhead, scheduling }) {
    const errors: FieldError[] = dnsLabelErrors(handler ?? "").map((why) =>
      invalid("handler", handler ?? "", why),
    );
    const amounts = overhead?.podFixed;
    if (amounts) {
      const wrong = validateResources({ limits: amounts }, "overhead.podFixed");
      errors.push(...wrong.map((error) => ({ ...error, field: error.field.replace(".limits", "") })));
    }
    if (scheduling) {
      errors.push(
        ...validateLabels(scheduling.nodeSelector, "scheduling.nodeSelector"),
        ...validateTolerations(scheduling.tolerations ?? [], "scheduling.tolerations"),
      );
    }
    return errors;
  },
  validateUpdate: ({ handler }, old) => validateImmutable(handler, old.handler, "handler"),
  columns: [
    /* @__PURE__ */ nameColumn(),
    /* @__PURE__ */ textColumn("Handler", "What runs the pods.", ({ handler }) => handler),
    /* @__PURE__ */ ageColumn(),
  ],
};
