// Validation of probes and lifecycle hooks.
import type { Container, Lifecycle, LifecycleHandler, Probe } from "../../generated/types.ts";
import { type FieldError, forbiddenField, invalid, notSupported, required } from "../../status-error.ts";
import { headerNameErrors, portNumberErrors } from "../../validation/names.ts";
import { validateNonNegative, validatePortOrName } from "../../validation/numbers.ts";

const SCHEMES = ["HTTP", "HTTPS"];
const COUNTS = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
] as const;

export function validateProbes(container: Container, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"] as const) {
    const probe = container[name];
    if (!probe) continue;
    const at = `${path}.${name}`;
    errors.push(...validateHandler(probe, at));
    for (const count of COUNTS) errors.push(...validateNonNegative(probe[count], `${at}.${count}`));
    // One success must be enough where failing kills the container.
    if (name !== "readinessProbe" && (probe.successThreshold ?? 1) !== 1) {
      errors.push(invalid(`${at}.successThreshold`, probe.successThreshold, "must be 1"));
    }
    const grace = probe.terminationGracePeriodSeconds;
    if (grace === undefined) continue;
    const field = `${at}.terminationGracePeriodSeconds`;
    if (name === "readinessProbe") errors.push(invalid(field, grace, "must not be set for readinessProbes"));
    else if (grace <= 0) errors.push(invalid(field, grace, "must be greater than 0"));
  }
  return errors;
}

export function validateLifecycle(
  lifecycle: Lifecycle | undefined,
  path: string,
  graceSeconds: number | undefined,
): FieldError[] {
  return (["postStart", "preStop"] as const).flatMap((hook) => {
    const handler = lifecycle?.[hook];
    if (!handler) return [];
    const at = `${path}.${hook}`;
    return [...validateHandler(handler, at), ...validateSleep(handler, `${at}.sleep`, graceSeconds)];
  });
}

/** Beside another handler it is one too many, whatever its length. */
function validateSleep(
  { sleep, exec, httpGet, tcpSocket }: LifecycleHandler,
  field: string,
  graceSeconds: number | undefined,
): FieldError[] {
  if (!sleep || exec || httpGet || tcpSocket || graceSeconds === undefined) return [];
  const { seconds } = sleep;
  if (seconds >= 0 && seconds <= graceSeconds) return [];
  const words = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
  return [invalid(field, seconds, words)];
}

const HANDLERS = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const;

function validateHandler(handler: Probe & LifecycleHandler, path: string): FieldError[] {
  const [first, ...more] = HANDLERS.filter((name) => handler[name]);
  if (!first) return [required(path, "must specify a handler type")];
  return [
    ...validateAction(handler, first, path),
    ...more.map((name) => forbiddenField(`${path}.${name}`, "may not specify more than 1 handler type")),
  ];
}

function validateAction(
  handler: Probe & LifecycleHandler,
  name: (typeof HANDLERS)[number],
  path: string,
): FieldError[] {
  const { exec, tcpSocket, grpc } = handler;
  switch (name) {
    case "exec":
      return exec?.command?.length ? [] : [required(`${path}.exec.command`)];
    case "httpGet":
      return validateHttpGet(handler, `${path}.httpGet`);
    case "tcpSocket":
      return validatePortOrName(tcpSocket?.port, `${path}.tcpSocket.port`);
    case "grpc":
      return portNumberErrors(grpc?.port ?? 0).map((why) => invalid(`${path}.grpc.port`, grpc?.port, why));
    // Only hooks have it: validateSleep.
    case "sleep":
      return [];
  }
}

function validateHttpGet({ httpGet }: LifecycleHandler, path: string): FieldError[] {
  if (!httpGet) return [];
  const errors: FieldError[] = [];
  if (!httpGet.path) errors.push(required(`${path}.path`));
  errors.push(...validatePortOrName(httpGet.port, `${path}.port`));
  if (!SCHEMES.includes(httpGet.scheme ?? "")) {
    errors.push(notSupported(`${path}.scheme`, httpGet.scheme, SCHEMES));
  }
  for (const { name = "" } of httpGet.httpHeaders ?? []) {
    for (const why of headerNameErrors(name)) errors.push(invalid(`${path}.httpHeaders`, name, why));
  }
  return errors;
}
