// Validation of Ingresses, in the words of Kubernetes' networking validation.
import { isIP } from "node:net";
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  TypedLocalObjectReference,
} from "../../generated/types.ts";
import { type FieldError, invalid, notSupported, required } from "../../status-error.ts";
import {
  dns1035LabelErrors,
  dnsSubdomainErrors,
  pathSegmentErrors,
  portNameErrors,
  portNumberErrors,
} from "../../validation/names.ts";

/** The older way to name a class, which still counts. */
export const CLASS_ANNOTATION = "kubernetes.io/ingress.class";

const PATH_TYPES = ["Exact", "ImplementationSpecific", "Prefix"];
const FORBIDDEN_IN_PATHS = ["//", "/./", "/../", "%2f", "%2F"];
const FORBIDDEN_AT_END = ["/..", "/."];
const WILDCARD = "\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";

export function validateIngress({ metadata, spec = {} }: Ingress): FieldError[] {
  const { rules = [], defaultBackend, ingressClassName, tls = [] } = spec;
  const errors: FieldError[] = [];
  const annotated = metadata.annotations?.[CLASS_ANNOTATION];
  if (annotated !== undefined && ingressClassName !== undefined) {
    const why = "can not be set when the class field is also set";
    errors.push(invalid(`annotations.${CLASS_ANNOTATION}`, annotated, why));
  }
  if (rules.length === 0 && !defaultBackend)
    errors.push(invalid("spec", [], "either `defaultBackend` or `rules` must be specified"));
  if (defaultBackend) errors.push(...validateBackend(defaultBackend, "spec.defaultBackend"));
  errors.push(...rules.flatMap((rule, index) => validateRule(rule, `spec.rules[${index}]`)));
  for (const [index, { hosts = [], secretName }] of tls.entries()) {
    const at = `spec.tls[${index}]`;
    for (const [place, host] of hosts.entries())
      errors.push(...hostErrors(host).map((why) => invalid(`${at}.hosts[${place}]`, host, why)));
    if (secretName)
      errors.push(
        ...dnsSubdomainErrors(secretName).map((why) => invalid(`${at}.secretName`, secretName, why)),
      );
  }
  for (const why of ingressClassName === undefined ? [] : dnsSubdomainErrors(ingressClassName))
    errors.push(invalid("spec.ingressClassName", ingressClassName, why));
  return errors;
}

function validateRule({ host, http }: IngressRule, at: string): FieldError[] {
  const errors: FieldError[] = [];
  if (host) {
    if (isIP(host)) errors.push(invalid(`${at}.host`, host, "must be a DNS name, not an IP address"));
    errors.push(...hostErrors(host).map((why) => invalid(`${at}.host`, host, why)));
  }
  if (!http) return errors;
  const paths = http.paths ?? [];
  if (paths.length === 0) errors.push(required(`${at}.http.paths`));
  errors.push(...paths.flatMap((path, index) => validatePath(path, `${at}.http.paths[${index}]`)));
  return errors;
}

/** `*.example.com` or a plain name. */
function hostErrors(host: string): string[] {
  if (!host.includes("*")) return dnsSubdomainErrors(host);
  if (new RegExp(`^${WILDCARD}$`).test(host)) return [];
  return [
    `a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '${WILDCARD}')`,
  ];
}

function validatePath({ path = "", pathType, backend }: HTTPIngressPath, at: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!pathType) errors.push(required(`${at}.pathType`, "pathType must be specified"));
  else if (!PATH_TYPES.includes(pathType)) {
    errors.push(notSupported(`${at}.pathType`, pathType, PATH_TYPES));
  } else if (!path.startsWith("/") && (path !== "" || pathType !== "ImplementationSpecific")) {
    errors.push(invalid(`${at}.path`, path, "must be an absolute path"));
  } else if (pathType !== "ImplementationSpecific") {
    for (const sequence of FORBIDDEN_IN_PATHS)
      if (path.includes(sequence)) errors.push(invalid(`${at}.path`, path, `must not contain '${sequence}'`));
    for (const suffix of FORBIDDEN_AT_END)
      if (path.endsWith(suffix)) errors.push(invalid(`${at}.path`, path, `cannot end with '${suffix}'`));
  }
  return [...errors, ...validateBackend(backend ?? {}, `${at}.backend`)];
}

/** A reference to an object of any kind, in Ingresses and their classes. */
export function validateReference(
  reference: Pick<TypedLocalObjectReference, "apiGroup" | "kind" | "name">,
  at: string,
): FieldError[] {
  const { apiGroup } = reference;
  const wrong = apiGroup === undefined ? [] : dnsSubdomainErrors(apiGroup);
  return [
    ...wrong.map((why) => invalid(`${at}.apiGroup`, apiGroup, why)),
    ...(["kind", "name"] as const).flatMap((field) => {
      const value = reference[field];
      if (!value) return [required(`${at}.${field}`, `${field} is required`)];
      return pathSegmentErrors(value).map((why) => invalid(`${at}.${field}`, value, why));
    }),
  ];
}

function validateBackend({ service, resource }: IngressBackend, at: string): FieldError[] {
  if (service && resource) return [invalid(at, "", "cannot set both resource and service backends")];
  if (resource) return validateReference(resource, `${at}.resource`);
  if (!service) return [invalid(at, "", "resource or service backend is required")];
  const { name, port = {} } = service;
  const errors = name
    ? dns1035LabelErrors(name).map((why) => invalid(`${at}.service.name`, name, why))
    : [required(`${at}.service.name`)];
  if (port.name && port.number) {
    errors.push(invalid(at, "", "cannot set both port name & port number"));
  } else if (port.name) {
    errors.push(
      ...portNameErrors(port.name).map((why) => invalid(`${at}.service.port.name`, port.name, why)),
    );
  } else if (port.number) {
    const wrong = portNumberErrors(port.number);
    errors.push(...wrong.map((why) => invalid(`${at}.service.port.number`, port.number, why)));
  } else errors.push(required(at, "port name or number is required"));
  return errors;
}
