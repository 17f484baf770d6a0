// What a Job's podFailurePolicy and successPolicy say. Pure.
import type {
  ContainerStatus,
  Job,
  Pod,
  PodFailurePolicyOnExitCodesRequirement,
} from "../../api/generated/types.ts";
import { countIndexes, countShared, type IndexSet, parseIndexes } from "../../api/index-set.ts";

export interface FailureVerdict {
  /** Towards backoffLimit and backoffLimitPerIndex. */
  readonly counts: boolean;
  readonly failsIndex?: boolean;
  /** The Job fails with this message. */
  readonly failsJob?: string;
}

/** The first rule that fits a failed pod decides; without one the failure counts. */
export function judgeFailure({ spec }: Readonly<Job>, pod: Readonly<Pod>): FailureVerdict {
  for (const [index, rule] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    const why = rule.onExitCodes
      ? exitCodeMatch(pod, rule.onExitCodes)
      : conditionMatch(pod, rule.onPodConditions ?? []);
    if (why === undefined) continue;
    if (rule.action === "Ignore") return { counts: false };
    if (rule.action === "FailIndex") return { counts: true, failsIndex: true };
    if (rule.action !== "FailJob") return { counts: true };
    return { counts: true, failsJob: `${why} matching FailJob rule at index ${index}` };
  }
  return { counts: true };
}

function exitCodeMatch(
  { metadata, status }: Readonly<Pod>,
  { containerName, operator, values }: PodFailurePolicyOnExitCodesRequirement,
): string | undefined {
  const fits = ({ name, state }: ContainerStatus) => {
    const code = state?.terminated?.exitCode ?? 0;
    if (code === 0 || (containerName !== undefined && containerName !== name)) return false;
    return values.includes(code) === (operator === "In");
  };
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const found = all.find(fits);
  if (!found) return undefined;
  const code = found.state?.terminated?.exitCode;
  return `Container ${found.name} for pod ${metadata.namespace}/${metadata.name} failed with exit code ${code}`;
}

function conditionMatch(
  { metadata, status }: Readonly<Pod>,
  patterns: readonly { readonly type: string; readonly status?: string }[],
): string | undefined {
  const found = status?.conditions?.find((condition) =>
    patterns.some((pattern) => pattern.type === condition.type && pattern.status === condition.status),
  );
  return found && `Pod ${metadata.namespace}/${metadata.name} has condition ${found.type}`;
}

/** The message of the success rule that is met, if one is. */
export function metSuccessRule({ spec }: Readonly<Job>, succeeded: IndexSet): string | undefined {
  if (succeeded.length === 0) return undefined;
  const met = (spec.successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined)
      return succeededCount !== undefined && countIndexes(succeeded) >= succeededCount;
    const wanted = parseIndexes(succeededIndexes, spec.completions ?? 0);
    const done = countShared(wanted, succeeded);
    return wanted.length > 0 && done >= (succeededCount ?? countIndexes(wanted));
  });
  return met < 0 ? undefined : `Matched rules at index ${met}`;
}
