// Validation of env and envFrom, and of the references to fields that volumes share with them.
import type { Container, EnvVar, ObjectFieldSelector, ResourceFieldSelector } from "../../generated/types.ts";
import { labelKeyErrors } from "../../label-syntax.ts";
import { type FieldError, invalid, notSupported, required } from "../../status-error.ts";
import { configKeyErrors, dnsSubdomainErrors, environmentNameErrors } from "../../validation/names.ts";

const ENVIRONMENT_FIELDS = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
// What the downward API knows at all, wherever it is used.
const KNOWN_FIELDS: readonly string[] = [
  ...ENVIRONMENT_FIELDS,
  "metadata.annotations",
  "metadata.labels",
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
];
const RESOURCE_FIELDS = ["cpu", "ephemeral-storage", "memory"];
const SOURCES = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"] as const;

export function validateEnvironment({ env = [], envFrom = [] }: Container, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, variable] of env.entries()) {
    const at = `${path}.env[${index}]`;
    if (!variable.name) errors.push(required(`${at}.name`));
    else {
      for (const why of environmentNameErrors(variable.name)) {
        errors.push(invalid(`${at}.name`, variable.name, why));
      }
    }
    errors.push(...validateValueFrom(variable, `${at}.valueFrom`));
  }
  for (const [index, source] of envFrom.entries()) {
    const at = `${path}.envFrom[${index}]`;
    for (const why of source.prefix ? environmentNameErrors(source.prefix) : []) {
      errors.push(invalid(`${at}.prefix`, source.prefix, why));
    }
    const { configMapRef, secretRef } = source;
    if (configMapRef) errors.push(...validateName(configMapRef.name, `${at}.configMapRef.name`));
    if (secretRef) errors.push(...validateName(secretRef.name, `${at}.secretRef.name`));
    if (!configMapRef && !secretRef) {
      errors.push(invalid(`${path}.envFrom`, "", "must specify one of: `configMapRef` or `secretRef`"));
    } else if (configMapRef && secretRef) {
      errors.push(invalid(`${path}.envFrom`, "", "may not have more than one field specified at a time"));
    }
  }
  return errors;
}

function validateName(name: string | undefined, field: string): FieldError[] {
  if (!name) return [required(field)];
  return dnsSubdomainErrors(name).map((why) => invalid(field, name, why));
}

function validateValueFrom({ value, valueFrom }: EnvVar, path: string): FieldError[] {
  if (!valueFrom) return [];
  const errors: FieldError[] = [];
  if (valueFrom.fieldRef) {
    errors.push(...validateFieldRef(valueFrom.fieldRef, `${path}.fieldRef`, ENVIRONMENT_FIELDS));
  }
  if (valueFrom.resourceFieldRef) {
    errors.push(...validateResourceRef(valueFrom.resourceFieldRef, `${path}.resourceFieldRef`));
  }
  for (const name of ["configMapKeyRef", "secretKeyRef"] as const) {
    const reference = valueFrom[name];
    if (!reference) continue;
    errors.push(...validateName(reference.name, `${path}.${name}.name`));
    if (!reference.key) errors.push(required(`${path}.${name}.key`));
    else {
      for (const why of configKeyErrors(reference.key)) {
        errors.push(invalid(`${path}.${name}.key`, reference.key, why));
      }
    }
  }
  const sources = SOURCES.filter((source) => valueFrom[source]).length;
  if (sources === 0) {
    errors.push(
      invalid(
        path,
        "",
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
      ),
    );
  } else if (value) errors.push(invalid(path, "", "may not be specified when `value` is not empty"));
  else if (sources > 1) {
    errors.push(invalid(path, "", "may not have more than one field specified at a time"));
  }
  return errors;
}

/** `supported`: the paths without a subscript that may be named here. */
export function validateFieldRef(
  { apiVersion, fieldPath }: ObjectFieldSelector,
  path: string,
  supported: readonly string[],
): FieldError[] {
  if (!apiVersion) return [required(`${path}.apiVersion`)];
  if (!fieldPath) return [required(`${path}.fieldPath`)];
  const subscript = /^([^[]+)\['(.*)'\]$/.exec(fieldPath);
  const plain = subscript?.[1] ?? fieldPath;
  if (!KNOWN_FIELDS.includes(plain)) {
    return [
      invalid(
        `${path}.fieldPath`,
        fieldPath,
        `error converting fieldPath: field label not supported: ${fieldPath}`,
      ),
    ];
  }
  if (!subscript) {
    return supported.includes(fieldPath)
      ? []
      : [notSupported(`${path}.fieldPath`, fieldPath, [...supported].sort())];
  }
  const key = subscript[2] ?? "";
  if (plain === "metadata.labels") return labelKeyErrors(key).map((why) => invalid(path, key, why));
  if (plain === "metadata.annotations") {
    return labelKeyErrors(key.toLowerCase()).map((why) => invalid(path, key, why));
  }
  return [invalid(path, plain, "does not support subscript")];
}

export function validateResourceRef({ resource }: ResourceFieldSelector, path: string): FieldError[] {
  if (!resource) return [required(`${path}.resource`)];
  const names = RESOURCE_FIELDS.flatMap((name) => [`limits.${name}`, `requests.${name}`]).sort();
  if (names.includes(resource) || /^(limits|requests)\.hugepages-/.test(resource)) return [];
  return [notSupported(`${path}.resource`, resource, names)];
}
