import type { IngressClass } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn, textColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { type FieldError, forbiddenField, invalid, notSupported, required } from "../status-error.ts";
import { dnsLabelErrors, dnsSubdomainErrors } from "../validation/names.ts";
import { validateImmutable } from "../validation/object-meta.ts";
import { validateReference } from "./ingress/validate.ts";

export const ingressClasses: Resource<IngressClass> = {
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  namespaced: false,
};

/** The annotation of the class that Ingresses without one get. */
export const DEFAULT_INGRESS_CLASS = "ingressclass.kubernetes.io/is-default-class";

const SCOPES = ["Cluster", "Namespace"];
const LONGEST_CONTROLLER = 250;

export const ingressClassKind: KindDefinition<IngressClass> = {
  resource: ingressClasses,
  schema: "io.k8s.api.networking.v1.IngressClass",
  singular: "ingressclass",
  nameRule: "dns-subdomain",
  hasGeneration: true,
  defaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= "Cluster";
  },
  validate: ({ spec = {} }) => [...validateController(spec.controller ?? ""), ...validateParameters(spec)],
  validateUpdate: ({ spec }, { spec: old }) =>
    validateImmutable(spec?.controller, old?.controller, "spec.controller"),
  columns: [
    /* @__PURE__ */ nameColumn(),
    /* @__PURE__ */ textColumn("Controller", "Who serves it.", ({ spec }) => spec?.controller ?? ""),
    /* @__PURE__ */ textColumn("Parameters", "Where more is said about it.", parametersText),
    /* @__PURE__ */ ageColumn(),
  ],
};

function parametersText({ spec }: IngressClass): string {
  const parameters = spec?.parameters;
  if (!parameters) return "<none>";
  const { apiGroup, kind, name } = parameters;
  return `${kind}${apiGroup === undefined ? "" : `.${apiGroup}`}/${name}`;
}

/** A path with a domain before it: `example.com/ingress`. */
function validateController(controller: string): FieldError[] {
  const field = "spec.controller";
  if (controller === "") return [required(field)];
  const errors: FieldError[] = [];
  if (controller.length > LONGEST_CONTROLLER)
    errors.push({
      reason: "FieldValueTooLong",
      field,
      message: `Too long: may not be more than ${LONGEST_CONTROLLER} bytes`,
    });
  const slash = controller.indexOf("/");
  const [domain, path] = [controller.slice(0, Math.max(slash, 0)), controller.slice(slash + 1)];
  if (slash < 0 || path === "") {
    errors.push(invalid(field, controller, 'must be a domain-prefixed path (such as "acme.io/foo")'));
    return errors;
  }
  for (const why of dnsSubdomainErrors(domain)) errors.push(invalid(field, domain, why));
  if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(path))
    errors.push(
      invalid(field, path, "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"),
    );
  return errors;
}

function validateParameters({ parameters }: NonNullable<IngressClass["spec"]>): FieldError[] {
  if (!parameters) return [];
  const { scope, namespace } = parameters;
  const at = "spec.parameters";
  const errors = validateReference(parameters, at);
  if (scope !== undefined && !SCOPES.includes(scope)) errors.push(notSupported(`${at}.scope`, scope, SCOPES));
  if (scope === "Namespace") {
    if (!namespace) errors.push(required(`${at}.namespace`, '`parameters.scope` is set to "Namespace"'));
    else for (const why of dnsLabelErrors(namespace)) errors.push(invalid(`${at}.namespace`, namespace, why));
  } else if (scope === "Cluster" && namespace !== undefined)
    errors.push(forbiddenField(`${at}.namespace`, '`parameters.scope` is set to "Cluster"'));
  return errors;
}
