import { isDeepStrictEqual } from "node:util";
import type { ConfigMap } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { type FieldError, forbiddenField, invalid, tooLong } from "../status-error.ts";
import { configKeyErrors } from "../validation/names.ts";

export const configMaps: Resource<ConfigMap> = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  namespaced: true,
};

// Kubernetes' MaxSecretSize, for ConfigMaps too.
const LARGEST_BYTES = 1024 * 1024;

export const configMapKind: KindDefinition<ConfigMap> = {
  resource: configMaps,
  schema: "io.k8s.api.core.v1.ConfigMap",
  singular: "configmap",
  shortNames: ["cm"],
  nameRule: "dns-subdomain",
  validate({ data = {}, binaryData = {} }) {
    const errors: FieldError[] = [];
    let bytes = 0;
    for (const key of Object.keys(data)) {
      for (const why of configKeyErrors(key)) errors.push(invalid(`data[${key}]`, key, why));
      if (Object.hasOwn(binaryData, key)) {
        errors.push(invalid(`data[${key}]`, key, "duplicate of key present in binaryData"));
      }
      bytes += Buffer.byteLength(data[key] ?? "");
    }
    for (const key of Object.keys(binaryData)) {
      for (const why of configKeyErrors(key)) errors.push(invalid(`binaryData[${key}]`, key, why));
      bytes += Buffer.byteLength(binaryData[key] ?? "", "base64");
    }
    if (bytes > LARGEST_BYTES) errors.push(tooLong("[]", LARGEST_BYTES));
    return errors;
  },
  validateUpdate(configMap, old) {
    if (!old.immutable) return [];
    const errors: FieldError[] = [];
    if (!configMap.immutable) {
      errors.push(forbiddenField("immutable", "field is immutable when `immutable` is set"));
    }
    for (const field of ["data", "binaryData"] as const) {
      if (!isDeepStrictEqual(configMap[field] ?? {}, old[field] ?? {})) {
        errors.push(forbiddenField(field, "field is immutable when `immutable` is set"));
      }
    }
    return errors;
  },
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "Data",
      type: "string",
      priority: 0,
      description: "How many keys it has.",
      value: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    },
    /* @__PURE__ */ ageColumn(),
  ],
};
