// Validation of containers and init containers.
import type { Container, ContainerPort, PodSpec } from "../../generated/types.ts";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalid,
  notFoundField,
  notSupported,
  required,
} from "../../status-error.ts";
import { dnsLabelErrors, portNameErrors, portNumberErrors } from "../../validation/names.ts";
import { validateDescendingPath } from "../../validation/paths.ts";
import { validateEnvironment } from "./validate-environment.ts";
import { validateLifecycle, validateProbes } from "./validate-probes.ts";
import { validateResources } from "./validate-resources.ts";
import { validateContainerSecurity, validatePropagation } from "./validate-security.ts";

/** Where the list stands, and the names of the pod's volumes. */
export interface ContainersAt {
  readonly path: string;
  readonly volumes: ReadonlySet<string>;
  /** The pod's terminationGracePeriodSeconds, which no hook may sleep beyond. */
  readonly graceSeconds?: number | undefined;
}

const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES = ["File", "FallbackToLogsOnError"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const RESTART_POLICIES = ["Always", "OnFailure", "Never"];

export function validateContainers(containers: readonly Container[], at: ContainersAt): FieldError[] {
  if (containers.length === 0) return [required(at.path)];
  const names = new Set<string>();
  return [
    ...containers.flatMap((container, index) => {
      const path = `${at.path}[${index}]`;
      return [
        ...validateName(container, path, names),
        ...validateContainer(container, path, at.volumes),
        ...validateProbes(container, path),
        ...validateLifecycle(container.lifecycle, `${path}.lifecycle`, at.graceSeconds),
      ];
    }),
    ...validateUniqueHostPorts(containers, at.path),
  ];
}

export function validateInitContainers(spec: PodSpec, at: ContainersAt): FieldError[] {
  const names = new Set(spec.containers?.map(({ name }) => name));
  return (spec.initContainers ?? []).flatMap((container, index) => {
    const path = `${at.path}[${index}]`;
    const errors = [
      ...validateName(container, path, names),
      ...validateContainer(container, path, at.volumes),
    ];
    if (container.restartPolicy === "Always") {
      return [
        ...errors,
        ...validateProbes(container, path),
        ...validateLifecycle(container.lifecycle, `${path}.lifecycle`, at.graceSeconds),
      ];
    }
    for (const field of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const) {
      if (!container[field]) continue;
      errors.push(
        forbiddenField(`${path}.${field}`, "may not be set for init containers without restartPolicy=Always"),
      );
    }
    return errors;
  });
}

export function validateEphemeralContainers(spec: PodSpec, at: ContainersAt): FieldError[] {
  const others = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const names = new Set(others.map(({ name }) => name));
  const targets = new Set(names);
  return (spec.ephemeralContainers ?? []).flatMap((ephemeral, index) => {
    const path = `${at.path}[${index}]`;
    // The same fields, of which some are forbidden here.
    const container = ephemeral as Container;
    const errors = [
      ...validateName(container, path, names),
      ...validateContainer(container, path, at.volumes),
    ];
    const { targetContainerName: target, resources, ports, volumeMounts = [] } = ephemeral;
    if (target && !targets.has(target)) errors.push(notFoundField(`${path}.targetContainerName`, target));
    const forbid = (field: string) =>
      errors.push(forbiddenField(`${path}.${field}`, "cannot be set for an Ephemeral Container"));
    for (const field of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const)
      if (ephemeral[field]) forbid(field);
    if (ports?.length) forbid("ports");
    if (resources?.requests || resources?.limits) forbid("resources");
    for (const [place, { subPath, subPathExpr }] of volumeMounts.entries()) {
      if (subPath) forbid(`volumeMounts[${place}].subPath`);
      if (subPathExpr) forbid(`volumeMounts[${place}].subPathExpr`);
    }
    return errors;
  });
}

function validateName({ name }: Container, path: string, names: Set<string>): FieldError[] {
  const field = `${path}.name`;
  if (!name) return [required(field)];
  const errors = dnsLabelErrors(name).map((why) => invalid(field, name, why));
  if (names.has(name)) errors.push(duplicate(field, name));
  names.add(name);
  return errors;
}

function validateContainer(container: Container, path: string, volumes: ReadonlySet<string>): FieldError[] {
  const errors: FieldError[] = [];
  if (!container.image) errors.push(required(`${path}.image`));
  const { terminationMessagePolicy: policy, imagePullPolicy, restartPolicy } = container;
  if (!policy) errors.push(required(`${path}.terminationMessagePolicy`));
  else if (!MESSAGE_POLICIES.includes(policy)) {
    errors.push(notSupported(`${path}.terminationMessagePolicy`, policy, MESSAGE_POLICIES));
  }
  if (!imagePullPolicy) errors.push(required(`${path}.imagePullPolicy`));
  else if (!PULL_POLICIES.includes(imagePullPolicy)) {
    errors.push(notSupported(`${path}.imagePullPolicy`, imagePullPolicy, PULL_POLICIES));
  }
  if (restartPolicy && !RESTART_POLICIES.includes(restartPolicy)) {
    errors.push(notSupported(`${path}.restartPolicy`, restartPolicy, RESTART_POLICIES));
  }
  return [
    ...errors,
    ...validatePorts(container.ports ?? [], `${path}.ports`),
    ...validateEnvironment(container, path),
    ...validateMounts(container, `${path}.volumeMounts`, volumes),
    ...validateResources(container.resources, `${path}.resources`),
    ...validateContainerSecurity(container, `${path}.securityContext`),
  ];
}

function validatePorts(ports: readonly ContainerPort[], path: string): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap(({ name, containerPort, hostPort, protocol }, index) => {
    const at = `${path}[${index}]`;
    const errors: FieldError[] = [];
    if (name) {
      const wrong = portNameErrors(name);
      for (const why of wrong) errors.push(invalid(`${at}.name`, name, why));
      if (wrong.length === 0 && names.has(name)) errors.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    if (!containerPort) errors.push(required(`${at}.containerPort`));
    else {
      for (const why of portNumberErrors(containerPort)) {
        errors.push(invalid(`${at}.containerPort`, containerPort, why));
      }
    }
    for (const why of hostPort ? portNumberErrors(hostPort) : []) {
      errors.push(invalid(`${at}.hostPort`, hostPort, why));
    }
    if (!protocol) errors.push(required(`${at}.protocol`));
    else if (!PROTOCOLS.includes(protocol)) errors.push(notSupported(`${at}.protocol`, protocol, PROTOCOLS));
    return errors;
  });
}

function validateUniqueHostPorts(containers: readonly Container[], path: string): FieldError[] {
  const seen = new Set<string>();
  return containers.flatMap(({ ports = [] }, place) =>
    ports.flatMap(({ hostPort, hostIP = "", protocol }, index) => {
      if (!hostPort) return [];
      const identity = `${protocol}/${hostIP}/${hostPort}`;
      const taken = seen.has(identity);
      seen.add(identity);
      return taken ? [duplicate(`${path}[${place}].ports[${index}].hostPort`, identity)] : [];
    }),
  );
}

function validateMounts(container: Container, path: string, volumes: ReadonlySet<string>): FieldError[] {
  const paths = new Set<string>();
  return (container.volumeMounts ?? []).flatMap((mount, index) => {
    const { name, mountPath, subPath, subPathExpr } = mount;
    const at = `${path}[${index}]`;
    const errors: FieldError[] = [];
    if (!name) errors.push(required(`${at}.name`));
    else if (!volumes.has(name)) errors.push(notFoundField(`${at}.name`, name));
    if (!mountPath) errors.push(required(`${at}.mountPath`));
    else if (paths.has(mountPath)) errors.push(invalid(`${at}.mountPath`, mountPath, "must be unique"));
    paths.add(mountPath);
    if (subPath) errors.push(...validateDescendingPath(subPath, `${at}.subPath`));
    if (subPathExpr && subPath) {
      errors.push(
        invalid(`${at}.subPathExpr`, subPathExpr, "subPathExpr and subPath are mutually exclusive"),
      );
    }
    if (subPathExpr) errors.push(...validateDescendingPath(subPathExpr, `${at}.subPathExpr`));
    errors.push(...validatePropagation(mount, container, `${at}.mountPropagation`));
    return errors;
  });
}
