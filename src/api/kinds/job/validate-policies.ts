// Validation of a Job's podFailurePolicy and successPolicy.
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from "../../generated/types.ts";
import { countIndexes, parseIndexes } from "../../index-set.ts";
import { labelKeyErrors } from "../../label-syntax.ts";
import {
  duplicate,
  type FieldError,
  invalid,
  invalidAsWhole,
  notSupported,
  required,
  tooLong,
  tooMany,
} from "../../status-error.ts";
import { validateNonNegative } from "../../validation/numbers.ts";

const MOST_RULES = 20;
const MOST_EXIT_CODES = 255;
const INDEXES_BYTES = 64 * 1024;
const ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS = ["In", "NotIn"];
const STATUSES = ["False", "True", "Unknown"];

export function validateFailurePolicy(spec: JobSpec, path: string): FieldError[] {
  const rules = spec.podFailurePolicy?.rules;
  if (!spec.podFailurePolicy) return [];
  const errors: FieldError[] = [];
  if ((rules?.length ?? 0) > MOST_RULES)
    errors.push(tooMany(`${path}.rules`, rules?.length ?? 0, MOST_RULES));
  return [
    ...errors,
    ...(rules ?? []).flatMap((rule, index) => validateRule(spec, rule, `${path}.rules[${index}]`)),
  ];
}

function validateRule(spec: JobSpec, rule: PodFailurePolicyRule, path: string): FieldError[] {
  const { action, onExitCodes, onPodConditions = [] } = rule;
  const errors: FieldError[] = [...oneOf(action, ACTIONS, `${path}.action`)];
  if (action === "FailIndex" && spec.backoffLimitPerIndex === undefined)
    errors.push(invalid(`${path}.action`, action, "requires the backoffLimitPerIndex to be set"));
  if (onExitCodes) errors.push(...validateExitCodes(spec, onExitCodes, `${path}.onExitCodes`));
  errors.push(...validatePatterns(onPodConditions, `${path}.onPodConditions`));
  if (onExitCodes && onPodConditions.length > 0)
    errors.push(invalidAsWhole(path, "specifying both OnExitCodes and OnPodConditions is not supported"));
  if (!onExitCodes && onPodConditions.length === 0)
    errors.push(invalidAsWhole(path, "specifying one of OnExitCodes and OnPodConditions is required"));
  return errors;
}

function oneOf(value: string | undefined, supported: readonly string[], field: string): FieldError[] {
  const listed = supported.map((one) => JSON.stringify(one)).join(" ");
  if (!value) return [required(field, `valid values: [${listed}]`)];
  return supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

function validatePatterns(patterns: readonly PodFailurePolicyOnPodConditionsPattern[], path: string) {
  const errors: FieldError[] = [];
  if (patterns.length > MOST_RULES) errors.push(tooMany(path, patterns.length, MOST_RULES));
  for (const [index, { type, status }] of patterns.entries()) {
    const at = `${path}[${index}]`;
    for (const why of labelKeyErrors(type ?? "")) errors.push(invalid(`${at}.type`, type ?? "", why));
    errors.push(...oneOf(status, STATUSES, `${at}.status`));
  }
  return errors;
}

function validateExitCodes(
  { template }: JobSpec,
  { operator, containerName, values = [] }: PodFailurePolicyOnExitCodesRequirement,
  path: string,
): FieldError[] {
  const errors = oneOf(operator, OPERATORS, `${path}.operator`);
  const containers = [...(template?.spec?.containers ?? []), ...(template?.spec?.initContainers ?? [])];
  if (containerName !== undefined && !containers.some(({ name }) => name === containerName))
    errors.push(
      invalid(
        `${path}.containerName`,
        containerName,
        "must be one of the container or initContainer names in the pod template",
      ),
    );
  const at = `${path}.values`;
  if (values.length === 0) errors.push(invalid(at, values, "at least one value is required"));
  if (values.length > MOST_EXIT_CODES) errors.push(tooMany(at, values.length, MOST_EXIT_CODES));
  const seen = new Set<number>();
  for (const [index, value] of values.entries()) {
    if (operator === "In" && value === 0)
      errors.push(invalid(`${at}[${index}]`, value, "must not be 0 for the In operator"));
    if (seen.has(value)) errors.push(duplicate(`${at}[${index}]`, value));
    seen.add(value);
  }
  if (values.some((value, index) => index > 0 && (values[index - 1] ?? value) > value))
    errors.push(invalid(at, values, "must be ordered"));
  return errors;
}

export function validateSuccessPolicy(spec: JobSpec, path: string): FieldError[] {
  if (!spec.successPolicy) return [];
  const rules = spec.successPolicy.rules ?? [];
  const at = `${path}.rules`;
  if (rules.length === 0)
    return [required(at, "at least one rules must be specified when the successPolicy is specified")];
  if (rules.length > MOST_RULES) return [tooMany(at, rules.length, MOST_RULES)];
  return rules.flatMap((rule, index) => validateSuccessRule(spec, rule, `${at}[${index}]`));
}

function validateSuccessRule(
  { completions = 0 }: JobSpec,
  { succeededCount, succeededIndexes }: SuccessPolicyRule,
  path: string,
): FieldError[] {
  if (succeededCount === undefined && succeededIndexes === undefined)
    return [required(path, "at least one of succeededCount or succeededIndexes must be specified")];
  const errors = validateNonNegative(succeededCount, `${path}.succeededCount`);
  const tooHigh = (limit: number, what: string) => {
    if ((succeededCount ?? 0) > limit)
      errors.push(
        invalid(
          `${path}.succeededCount`,
          succeededCount,
          `must be less than or equal to ${limit} (the number of ${what})`,
        ),
      );
  };
  if (succeededIndexes !== undefined) {
    const field = `${path}.succeededIndexes`;
    const wrong = indexesProblem(succeededIndexes, completions);
    if (Buffer.byteLength(succeededIndexes) > INDEXES_BYTES) errors.push(tooLong(field, INDEXES_BYTES));
    if (wrong) errors.push(invalid(field, succeededIndexes, `error parsing succeededIndexes: ${wrong}`));
    else
      tooHigh(
        countIndexes(parseIndexes(succeededIndexes, completions)),
        "indexes in the specified succeededIndexes field",
      );
  }
  tooHigh(completions, "specified completions");
  return errors;
}

/** Kubernetes wants the list well-formed, in order and below the completions. */
function indexesProblem(text: string, completions: number): string | undefined {
  let previous = -1;
  for (const part of text.split(",")) {
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined)
      return `cannot convert string to integer for index: "${part.split("-").find((one) => !/^\d+$/.test(one)) ?? part}"`;
    for (const each of last === undefined ? [first] : [first, last]) {
      if (Number(each) >= completions) return `too large index: "${each}"`;
      if (Number(each) <= previous)
        return `non-increasing order, previous: ${previous}, current: ${Number(each)}`;
      previous = Number(each);
    }
  }
  return undefined;
}
