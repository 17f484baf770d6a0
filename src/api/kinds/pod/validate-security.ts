// Validation of what a pod and its containers ask of the kernel. kubemu acts on none of it, but a manifest that Kubernetes
// refuses is refused here as well.
import type {
  Container,
  PodSecurityContext,
  SeccompProfile,
  Sysctl,
  VolumeMount,
} from "../../generated/types.ts";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalid,
  notSupported,
  required,
} from "../../status-error.ts";
import { rangeText, sysctlErrors } from "../../validation/names.ts";
import { validateDescendingPath } from "../../validation/paths.ts";

const HIGHEST_ID = 2 ** 31 - 1;
const GROUP_CHANGE_POLICIES = ["Always", "OnRootMismatch"];
const SECCOMP_TYPES = ["Localhost", "RuntimeDefault", "Unconfined"];
const PROPAGATIONS = ["Bidirectional", "HostToContainer", "None"];

export function validatePodSecurity(context: PodSecurityContext | undefined, path: string): FieldError[] {
  if (!context) return [];
  const { supplementalGroups = [], fsGroupChangePolicy: policy } = context;
  return [
    ...validateId(context.fsGroup, `${path}.fsGroup`),
    ...validateId(context.runAsUser, `${path}.runAsUser`),
    ...validateId(context.runAsGroup, `${path}.runAsGroup`),
    ...supplementalGroups.flatMap((group, index) =>
      validateId(group, `${path}.supplementalGroups[${index}]`),
    ),
    ...(policy === undefined || GROUP_CHANGE_POLICIES.includes(policy)
      ? []
      : [notSupported(`${path}.fsGroupChangePolicy`, policy, GROUP_CHANGE_POLICIES)]),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
    ...validateSysctls(context.sysctls ?? [], `${path}.sysctls`),
  ];
}

function validateSysctls(sysctls: readonly Sysctl[], path: string): FieldError[] {
  const names = new Set<string>();
  return sysctls.flatMap(({ name = "" }, index) => {
    const field = `${path}[${index}].name`;
    if (name === "") return [required(field)];
    const wrong = sysctlErrors(name).map((why) => invalid(field, name, why));
    if (wrong.length === 0 && names.has(name)) return [duplicate(field, name)];
    names.add(name);
    return wrong;
  });
}

export function validateContainerSecurity(
  { securityContext: context }: Pick<Container, "securityContext">,
  path: string,
): FieldError[] {
  if (!context) return [];
  const errors = [
    ...validateId(context.runAsUser, `${path}.runAsUser`),
    ...validateId(context.runAsGroup, `${path}.runAsGroup`),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
  ];
  if (context.allowPrivilegeEscalation !== false) return errors;
  const contradicts = (what: string) =>
    errors.push(invalid(path, context, `cannot set \`allowPrivilegeEscalation\` to false and ${what}`));
  if (context.privileged) contradicts("`privileged` to true");
  // Only this spelling is looked for; the runtimes' own, SYS_ADMIN, passes.
  if (context.capabilities?.add?.includes("CAP_SYS_ADMIN")) contradicts("`capabilities.Add` CAP_SYS_ADMIN");
  return errors;
}

export function validatePropagation(
  { mountPropagation: propagation }: VolumeMount,
  container: Pick<Container, "securityContext">,
  field: string,
): FieldError[] {
  if (propagation === undefined) return [];
  if (!PROPAGATIONS.includes(propagation)) return [notSupported(field, propagation, PROPAGATIONS)];
  if (propagation !== "Bidirectional" || container.securityContext?.privileged) return [];
  return [
    forbiddenField(field, "Bidirectional mount propagation is available only to privileged containers"),
  ];
}

function validateId(id: number | undefined, field: string): FieldError[] {
  if (id === undefined || (id >= 0 && id <= HIGHEST_ID)) return [];
  return [invalid(field, id, rangeText(0, HIGHEST_ID))];
}

function validateSeccomp(profile: SeccompProfile | undefined, path: string): FieldError[] {
  if (!profile) return [];
  const { type, localhostProfile } = profile;
  const errors: FieldError[] = [];
  if (!type) errors.push(required(`${path}.type`, "type is required when seccompProfile is set"));
  else if (!SECCOMP_TYPES.includes(type)) errors.push(notSupported(`${path}.type`, type, SECCOMP_TYPES));
  const field = `${path}.localhostProfile`;
  if (type === "Localhost" && localhostProfile === undefined) {
    errors.push(required(field, "must be set when seccomp type is Localhost"));
  } else if (type !== "Localhost" && localhostProfile !== undefined) {
    errors.push(invalid(field, profile, "can only be set when seccomp type is Localhost"));
  } else if (localhostProfile !== undefined) errors.push(...validateDescendingPath(localhostProfile, field));
  return errors;
}
