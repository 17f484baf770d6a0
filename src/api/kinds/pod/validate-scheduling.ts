// Validation of what the scheduler reads: tolerations, affinity, topology spread.
import type {
  Affinity,
  NodeAffinity,
  NodeSelectorRequirement,
  PodAffinity,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from "../../generated/types.ts";
import { labelKeyErrors, labelValueErrors } from "../../label-syntax.ts";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalid,
  notSupported,
  required,
} from "../../status-error.ts";
import { validateLabelSelector } from "../../validation/labels.ts";
import { dnsLabelErrors, dnsSubdomainErrors } from "../../validation/names.ts";

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const RULES = "requiredDuringSchedulingIgnoredDuringExecution";
const WISHES = "preferredDuringSchedulingIgnoredDuringExecution";

export function validateTolerations(tolerations: readonly Toleration[], path: string): FieldError[] {
  return tolerations.flatMap((toleration, index) => {
    const at = `${path}[${index}]`;
    const { key, operator, value, effect, tolerationSeconds } = toleration;
    const errors = key ? labelKeyErrors(key).map((why) => invalid(`${at}.key`, key, why)) : [];
    if (!key && operator !== "Exists") {
      errors.push(
        invalid(
          `${at}.operator`,
          operator ?? "",
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    }
    if (tolerationSeconds !== undefined && effect !== "NoExecute") {
      errors.push(
        invalid(`${at}.effect`, effect ?? "", "effect must be 'NoExecute' when `tolerationSeconds` is set"),
      );
    }
    if (!operator || operator === "Equal") {
      const wrong = labelValueErrors(value ?? "");
      if (wrong.length > 0) errors.push(invalid(`${at}.operator`, value, wrong.join(";")));
    } else if (operator === "Exists") {
      if (value) {
        errors.push(invalid(`${at}.operator`, toleration, "value must be empty when `operator` is 'Exists'"));
      }
    } else errors.push(notSupported(`${at}.operator`, operator, ["Equal", "Exists"]));
    if (effect && !EFFECTS.includes(effect)) errors.push(notSupported(`${at}.effect`, effect, EFFECTS));
    return errors;
  });
}

export function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  if (!affinity) return [];
  return [
    ...validateNodeAffinity(affinity.nodeAffinity, `${path}.nodeAffinity`),
    ...validatePodAffinity(affinity.podAffinity, `${path}.podAffinity`),
    ...validatePodAffinity(affinity.podAntiAffinity, `${path}.podAntiAffinity`),
  ];
}

function validateNodeAffinity(affinity: NodeAffinity | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const rules = affinity?.[RULES];
  if (rules) {
    const at = `${path}.${RULES}.nodeSelectorTerms`;
    const terms = rules.nodeSelectorTerms ?? [];
    if (terms.length === 0) errors.push(required(at, "must have at least one node selector term"));
    for (const [index, term] of terms.entries()) {
      errors.push(...validateRequirements(term.matchExpressions, `${at}[${index}].matchExpressions`));
      errors.push(...validateFields(term.matchFields, `${at}[${index}].matchFields`));
    }
  }
  for (const [index, { weight, preference }] of (affinity?.[WISHES] ?? []).entries()) {
    const at = `${path}.${WISHES}[${index}]`;
    errors.push(...validateWeight(weight, at));
    errors.push(
      ...validateRequirements(preference?.matchExpressions, `${at}.preference.matchExpressions`),
      ...validateFields(preference?.matchFields, `${at}.preference.matchFields`),
    );
  }
  return errors;
}

const validateWeight = (weight: number, at: string): FieldError[] =>
  weight >= 1 && weight <= 100 ? [] : [invalid(`${at}.weight`, weight, "must be in the range 1-100")];

/** The expressions of one node selector term. */
export function validateRequirements(
  requirements: NodeSelectorRequirement[] = [],
  path: string,
): FieldError[] {
  return requirements.flatMap(({ key, operator, values = [] }, index) => {
    const at = `${path}[${index}]`;
    const errors: FieldError[] = [];
    switch (operator) {
      case "In":
      case "NotIn":
        if (values.length === 0) {
          errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
        }
        break;
      case "Exists":
      case "DoesNotExist":
        if (values.length > 0) {
          errors.push(
            forbiddenField(
              `${at}.values`,
              "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            ),
          );
        }
        break;
      case "Gt":
      case "Lt":
        if (values.length !== 1) {
          errors.push(
            required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"),
          );
        }
        break;
      default:
        errors.push(invalid(`${at}.operator`, operator, "not a valid selector operator"));
    }
    for (const why of labelKeyErrors(key ?? "")) errors.push(invalid(`${at}.key`, key ?? "", why));
    return errors;
  });
}

/** The fields of one node selector term. */
export function validateFields(requirements: NodeSelectorRequirement[] = [], path: string): FieldError[] {
  return requirements.flatMap(({ key, operator, values = [] }, index) => {
    const at = `${path}[${index}]`;
    const errors: FieldError[] = [];
    if (operator !== "In" && operator !== "NotIn") {
      errors.push(invalid(`${at}.operator`, operator, "not a valid selector operator"));
    } else if (values.length !== 1) {
      errors.push(
        required(
          `${at}.values`,
          "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
        ),
      );
    }
    if (key !== "metadata.name")
      return [...errors, invalid(`${at}.key`, key, "not a valid field selector key")];
    for (const [place, value] of values.entries())
      for (const why of dnsSubdomainErrors(value)) errors.push(invalid(`${at}.values[${place}]`, value, why));
    return errors;
  });
}

function validatePodAffinity(affinity: PodAffinity | undefined, path: string): FieldError[] {
  return [
    ...(affinity?.[RULES] ?? []).flatMap((term, index) => validateTerm(term, `${path}.${RULES}[${index}]`)),
    ...(affinity?.[WISHES] ?? []).flatMap(({ weight, podAffinityTerm }, index) => {
      const at = `${path}.${WISHES}[${index}]`;
      return [...validateWeight(weight, at), ...validateTerm(podAffinityTerm, `${at}.podAffinityTerm`)];
    }),
  ];
}

function validateTerm(term: Partial<PodAffinityTerm> = {}, path: string): FieldError[] {
  const errors = [
    ...validateLabelSelector(term.labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
  ];
  for (const namespace of term.namespaces ?? []) {
    for (const why of dnsLabelErrors(namespace)) errors.push(invalid(`${path}.namespace`, namespace, why));
  }
  if (!term.topologyKey) errors.push(required(`${path}.topologyKey`, "can not be empty"));
  for (const why of labelKeyErrors(term.topologyKey ?? "")) {
    errors.push(invalid(`${path}.topologyKey`, term.topologyKey ?? "", why));
  }
  return errors;
}

const UNSATISFIABLE = ["DoNotSchedule", "ScheduleAnyway"];
const NODE_POLICIES = ["Honor", "Ignore"];

export function validateTopologySpread(
  constraints: readonly TopologySpreadConstraint[],
  path: string,
): FieldError[] {
  const seen = new Set<string>();
  return constraints.flatMap((constraint, index) => {
    const at = `${path}[${index}]`;
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains, labelSelector } = constraint;
    const errors: FieldError[] = [];
    if (!(maxSkew > 0)) errors.push(invalid(`${at}.maxSkew`, maxSkew ?? 0, "must be greater than zero"));
    if (!topologyKey) errors.push(required(`${at}.topologyKey`, "can not be empty"));
    else {
      for (const why of labelKeyErrors(topologyKey)) {
        errors.push(invalid(`${at}.topologyKey`, topologyKey, why));
      }
    }
    if (!UNSATISFIABLE.includes(whenUnsatisfiable)) {
      errors.push(notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable ?? "", UNSATISFIABLE));
    }
    const identity = `{${topologyKey}, ${whenUnsatisfiable}}`;
    if (seen.has(identity)) errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, identity));
    seen.add(identity);
    if (minDomains !== undefined && minDomains <= 0) {
      errors.push(invalid(`${at}.minDomains`, minDomains, "must be greater than zero"));
    }
    if (minDomains !== undefined && whenUnsatisfiable === "ScheduleAnyway") {
      errors.push(
        invalid(
          `${at}.minDomains`,
          minDomains,
          "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway",
        ),
      );
    }
    for (const field of ["nodeAffinityPolicy", "nodeTaintsPolicy"] as const) {
      const policy = constraint[field];
      if (policy !== undefined && !NODE_POLICIES.includes(policy)) {
        errors.push(notSupported(`${at}.${field}`, policy, NODE_POLICIES));
      }
    }
    return [...errors, ...validateLabelSelector(labelSelector, `${at}.labelSelector`)];
  });
}
