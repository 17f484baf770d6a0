// Validation of volumes. Only the sources that kubemu serves are looked into.
import type {
  DownwardAPIVolumeFile,
  HostPathVolumeSource,
  KeyToPath,
  Volume,
  VolumeProjection,
} from "../../generated/types.ts";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalid,
  notSupported,
  required,
} from "../../status-error.ts";
import { dnsLabelErrors } from "../../validation/names.ts";
import { validateDescendingPath } from "../../validation/paths.ts";
import { validateClaimSpec } from "../persistent-volume-claim/claim-spec.ts";
import { validateFieldRef, validateResourceRef } from "./validate-environment.ts";

const HIGHEST_MODE = 0o777;
const HOST_PATH_TYPES = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];
const FILE_FIELDS = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];

export function validateVolumes(volumes: readonly Volume[], path: string): FieldError[] {
  const names = new Set<string>();
  return volumes.flatMap((volume, index) => {
    const at = `${path}[${index}]`;
    const errors: FieldError[] = [];
    if (!volume.name) errors.push(required(`${at}.name`));
    else for (const why of dnsLabelErrors(volume.name)) errors.push(invalid(`${at}.name`, volume.name, why));
    if (volume.name && names.has(volume.name)) errors.push(duplicate(`${at}.name`, volume.name));
    names.add(volume.name);
    return [...errors, ...validateSource(volume, at)];
  });
}

function validateSource(volume: Volume, path: string): FieldError[] {
  const [first, ...more] = Object.entries(volume)
    .filter(([field, source]) => field !== "name" && source !== undefined)
    .map(([field]) => field);
  if (!first) return [required(path, "must specify a volume type")];
  const errors = more.map((field) =>
    forbiddenField(`${path}.${field}`, "may not specify more than 1 volume type"),
  );
  const { hostPath, secret, configMap, downwardAPI, projected, persistentVolumeClaim, ephemeral } = volume;
  if (hostPath) errors.push(...validateHostPath(hostPath, `${path}.hostPath`));
  if (persistentVolumeClaim && !persistentVolumeClaim.claimName) {
    errors.push(required(`${path}.persistentVolumeClaim.claimName`));
  }
  if (ephemeral) {
    const at = `${path}.ephemeral.volumeClaimTemplate`;
    const template = ephemeral.volumeClaimTemplate;
    errors.push(...(template ? validateClaimSpec(template.spec, `${at}.spec`) : [required(at)]));
  }
  if (secret) {
    if (!secret.secretName) errors.push(required(`${path}.secret.secretName`));
    errors.push(...validateFiles(secret, `${path}.secret`));
  }
  if (configMap) {
    if (!configMap.name) errors.push(required(`${path}.configMap.name`));
    errors.push(...validateFiles(configMap, `${path}.configMap`));
  }
  if (downwardAPI) {
    errors.push(...validateMode(downwardAPI.defaultMode, `${path}.downwardAPI.defaultMode`));
    errors.push(...validateDownward(downwardAPI.items ?? [], `${path}.downwardAPI`));
  }
  if (projected) {
    errors.push(...validateMode(projected.defaultMode, `${path}.projected.defaultMode`));
    for (const [index, source] of (projected.sources ?? []).entries()) {
      errors.push(...validateProjection(source, `${path}.projected.sources[${index}]`));
    }
  }
  return errors;
}

/** In pods and in PersistentVolumes. */
export function validateHostPath(
  { path: directory, type = "" }: HostPathVolumeSource,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!directory) errors.push(required(`${path}.path`));
  else if (directory.split("/").includes("..")) {
    errors.push(invalid(`${path}.path`, directory, "must not contain '..'"));
  }
  if (!HOST_PATH_TYPES.includes(type)) errors.push(notSupported(`${path}.type`, type, HOST_PATH_TYPES));
  return errors;
}

function validateMode(mode: number | undefined, field: string): FieldError[] {
  if (mode === undefined || (mode >= 0 && mode <= HIGHEST_MODE)) return [];
  return [invalid(field, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
}

function validateFiles(source: { items?: KeyToPath[]; defaultMode?: number }, path: string): FieldError[] {
  const errors = validateMode(source.defaultMode, `${path}.defaultMode`);
  for (const [index, { key, path: file, mode }] of (source.items ?? []).entries()) {
    const at = `${path}.items[${index}]`;
    if (!key) errors.push(required(`${at}.key`));
    errors.push(...validateFilePath(file, `${at}.path`), ...validateMode(mode, `${at}.mode`));
  }
  return errors;
}

function validateFilePath(path: string, field: string): FieldError[] {
  if (!path) return [required(field)];
  const errors = validateDescendingPath(path, field);
  if (path.startsWith("..") && path !== ".." && !path.startsWith("../")) {
    errors.push(invalid(field, path, "must not start with '..'"));
  }
  return errors;
}

function validateDownward(items: readonly DownwardAPIVolumeFile[], path: string): FieldError[] {
  return items.flatMap(({ fieldRef, resourceFieldRef, path: file, mode }, index) => {
    const at = `${path}.items[${index}]`;
    const errors = [...validateFilePath(file, `${at}.path`), ...validateMode(mode, `${at}.mode`)];
    if (fieldRef && resourceFieldRef) {
      errors.push(
        invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"),
      );
    } else if (fieldRef) errors.push(...validateFieldRef(fieldRef, `${at}.fieldRef`, FILE_FIELDS));
    else if (resourceFieldRef) {
      if (!resourceFieldRef.containerName) errors.push(required(`${at}.resourceFieldRef.containerName`));
      errors.push(...validateResourceRef(resourceFieldRef, `${at}.resourceFieldRef`));
    } else errors.push(required(at, "one of fieldRef and resourceFieldRef is required"));
    return errors;
  });
}

function validateProjection(source: VolumeProjection, path: string): FieldError[] {
  const { secret, configMap, downwardAPI, serviceAccountToken } = source;
  const errors: FieldError[] = [];
  const given = Object.values(source).filter((one) => one !== undefined).length;
  if (given > 1) errors.push(forbiddenField(path, "may not specify more than 1 volume type"));
  if (secret) {
    if (!secret.name) errors.push(required(`${path}.secret.name`));
    errors.push(...validateFiles(secret, `${path}.secret`));
  }
  if (configMap) {
    if (!configMap.name) errors.push(required(`${path}.configMap.name`));
    errors.push(...validateFiles(configMap, `${path}.configMap`));
  }
  if (downwardAPI) errors.push(...validateDownward(downwardAPI.items ?? [], `${path}.downwardAPI`));
  if (serviceAccountToken) {
    const { expirationSeconds = 3600, path: file } = serviceAccountToken;
    if (expirationSeconds < 600) {
      errors.push(
        invalid(
          `${path}.serviceAccountToken.expirationSeconds`,
          expirationSeconds,
          "may not specify a duration less than 10 minutes",
        ),
      );
    }
    errors.push(...validateFilePath(file, `${path}.serviceAccountToken.path`));
  }
  return errors;
}
