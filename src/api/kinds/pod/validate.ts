// Validation of pods and pod specs, in the words of Kubernetes' core validation. `path` is where the spec stands, because the
// same rules hold for a workload's template (`spec.template.spec`).
import type { ContainerStatus, Pod, PodSpec } from "../../generated/types.ts";
import type { ValidationContext } from "../../kind.ts";
import { labelKeyErrors } from "../../label-syntax.ts";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalid,
  notSupported,
  required,
} from "../../status-error.ts";
import { validateLabels } from "../../validation/labels.ts";
import { dnsLabelErrors, dnsSubdomainErrors, rangeText } from "../../validation/names.ts";
import {
  validateContainers,
  validateEphemeralContainers,
  validateInitContainers,
} from "./validate-container.ts";
import { validateDns, validateHostAliases } from "./validate-names.ts";
import { validateAffinity, validateTolerations, validateTopologySpread } from "./validate-scheduling.ts";
import { validatePodSecurity } from "./validate-security.ts";
import { validateVolumes } from "./validate-volumes.ts";

const RESTART_POLICIES = ["Always", "OnFailure", "Never"];
const DNS_POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const PREEMPTION_POLICIES = ["PreemptLowerPriority", "Never"];
const MOST_SECONDS = 2 ** 31 - 1;

export function validatePod(pod: Pod, { subresource, isCreate }: ValidationContext): FieldError[] {
  if (subresource === "status") return [];
  const errors = validatePodSpec(pod.spec, "spec");
  if (isCreate && pod.spec.ephemeralContainers?.length)
    errors.push(forbiddenField("spec.ephemeralContainers", "cannot be set on create"));
  if (isCreate && pod.spec.nodeName && pod.spec.schedulingGates?.length)
    errors.push(forbiddenField("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
  // Templates may hold such images: some controllers replace them.
  for (const list of ["containers", "initContainers"] as const) {
    for (const [index, { image = "" }] of (pod.spec[list] ?? []).entries()) {
      if (image === image.trim()) continue;
      errors.push(
        invalid(`spec.${list}[${index}].image`, image, "must not have leading or trailing whitespace"),
      );
    }
  }
  return errors;
}

export function validatePodSpec(spec: PodSpec, path: string): FieldError[] {
  const volumes = new Set(spec.volumes?.map(({ name }) => name));
  const graceSeconds = spec.terminationGracePeriodSeconds;
  return [
    ...validateVolumes(spec.volumes ?? [], `${path}.volumes`),
    ...validateContainers(spec.containers ?? [], { path: `${path}.containers`, volumes, graceSeconds }),
    ...validateInitContainers(spec, { path: `${path}.initContainers`, volumes, graceSeconds }),
    ...validateEphemeralContainers(spec, { path: `${path}.ephemeralContainers`, volumes }),
    ...validateHostPorts(spec, path),
    ...validatePolicies(spec, path),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurity(spec.securityContext, `${path}.securityContext`),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDns(spec, `${path}.dnsConfig`),
    ...validateGates(spec, path),
    ...validateNames(spec, path),
    ...validateDeadline(spec, path),
    ...validateTolerations(spec.tolerations ?? [], `${path}.tolerations`),
    ...validateHostAliases(spec.hostAliases ?? [], `${path}.hostAliases`),
    ...validatePreemption(spec.preemptionPolicy, `${path}.preemptionPolicy`),
    ...validateTopologySpread(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`),
  ];
}

function validatePolicies(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [field, policies] of [
    ["restartPolicy", RESTART_POLICIES],
    ["dnsPolicy", DNS_POLICIES],
  ] as const) {
    const policy = spec[field];
    if (!policy) errors.push(required(`${path}.${field}`));
    else if (!policies.includes(policy)) errors.push(notSupported(`${path}.${field}`, policy, policies));
  }
  if (spec.hostPID && spec.shareProcessNamespace) {
    errors.push(
      invalid(
        `${path}.shareProcessNamespace`,
        true,
        "ShareProcessNamespace and HostPID cannot both be enabled",
      ),
    );
  }
  return errors;
}

/** What must come true before the pod is scheduled, and before it is ready. */
function validateGates({ readinessGates = [], schedulingGates = [] }: PodSpec, path: string): FieldError[] {
  const errors = readinessGates.flatMap(({ conditionType }, index) =>
    labelKeyErrors(conditionType).map((why) =>
      invalid(`${path}.readinessGates[${index}].conditionType`, conditionType, why),
    ),
  );
  const names = new Set<string>();
  for (const [index, { name }] of schedulingGates.entries()) {
    const at = `${path}.schedulingGates[${index}]`;
    for (const why of labelKeyErrors(name)) errors.push(invalid(at, name, why));
    if (names.has(name)) errors.push(duplicate(at, name));
    names.add(name);
  }
  return errors;
}

function validatePreemption(policy: string | undefined, field: string): FieldError[] {
  if (policy === undefined || PREEMPTION_POLICIES.includes(policy)) return [];
  return [notSupported(field, policy, PREEMPTION_POLICIES)];
}

function validateNames(spec: PodSpec, path: string): FieldError[] {
  const rules = [
    ["serviceAccountName", dnsSubdomainErrors],
    ["nodeName", dnsSubdomainErrors],
    ["hostname", dnsLabelErrors],
    ["subdomain", dnsLabelErrors],
    ["priorityClassName", dnsSubdomainErrors],
  ] as const;
  return rules.flatMap(([field, errorsOf]) => {
    const name = spec[field];
    return name ? errorsOf(name).map((why) => invalid(`${path}.${field}`, name, why)) : [];
  });
}

function validateDeadline({ activeDeadlineSeconds: seconds }: PodSpec, path: string): FieldError[] {
  if (seconds === undefined || (seconds >= 1 && seconds <= MOST_SECONDS)) return [];
  return [invalid(`${path}.activeDeadlineSeconds`, seconds, rangeText(1, MOST_SECONDS))];
}

function validateHostPorts({ hostNetwork, containers }: PodSpec, path: string): FieldError[] {
  if (!hostNetwork) return [];
  return (containers ?? []).flatMap(({ ports = [] }, place) =>
    ports.flatMap(({ containerPort, hostPort }, index) =>
      // Templates are not defaulted: there a host port may be missing.
      hostPort === undefined || hostPort === containerPort
        ? []
        : [
            invalid(
              `${path}.containers[${place}].ports[${index}].hostPort`,
              hostPort,
              "must match `containerPort` when `hostNetwork` is true",
            ),
          ],
    ),
  );
}

/** For /status: a container that has ended for good stays ended. */
export function validatePodStatus(pod: Pod, old: Pod): FieldError[] {
  const policy = old.spec.restartPolicy;
  if (policy === "Always") return [];
  const stays = ({ state }: ContainerStatus): boolean =>
    state?.terminated !== undefined && (policy === "Never" || state.terminated.exitCode === 0);
  // Of several of one name the first counts.
  const entries = (pod.status?.containerStatuses ?? []).map((status) => [status.name, status] as const);
  const statuses = new Map(entries.reverse());
  return (old.status?.containerStatuses ?? []).flatMap((before, index) => {
    const now = statuses.get(before.name);
    if (!now || !stays(before) || now.state?.terminated) return [];
    return [
      forbiddenField(
        `status.containerStatuses[${index}].state`,
        "may not be transitioned to non-terminated state",
      ),
    ];
  });
}
