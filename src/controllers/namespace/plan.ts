import type { NamespaceCondition } from "../../api/generated/types.ts";

/** What is left of one resource in a namespace that is going. */
export interface Remainder {
  /** `pods`, `deployments.apps` */
  readonly groupResource: string;
  readonly count: number;
  /** Every finalizer that keeps one of them, with how many it keeps. */
  readonly finalizers: Readonly<Record<string, number>>;
}

/** Kubernetes puts the dot even where the group is empty: `pods.` */
const dotted = (groupResource: string): string =>
  groupResource.includes(".") ? groupResource : `${groupResource}.`;

/** The five conditions that Kubernetes' namespace controller writes, in its words, from what is left. */
export function planConditions(
  left: readonly Remainder[],
  failures: readonly string[],
  now: string,
): NamespaceCondition[] {
  const finalizers = new Map<string, number>();
  for (const each of left)
    for (const [name, count] of Object.entries(each.finalizers))
      finalizers.set(name, (finalizers.get(name) ?? 0) + count);
  const remaining = left
    .map(({ groupResource, count }) => `${dotted(groupResource)} has ${count} resource instances`)
    .sort();
  const keeping = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`).sort();
  const condition = (
    type: string,
    bad: boolean,
    [reason, message]: readonly [string, string],
    [goodReason, goodMessage]: readonly [string, string],
  ) => ({
    type,
    status: bad ? "True" : "False",
    reason: bad ? reason : goodReason,
    message: bad ? message : goodMessage,
    lastTransitionTime: now,
  });
  return [
    condition(
      "NamespaceDeletionDiscoveryFailure",
      false,
      ["", ""],
      ["ResourcesDiscovered", "All resources successfully discovered"],
    ),
    condition(
      "NamespaceDeletionGroupVersionParsingFailure",
      false,
      ["", ""],
      ["ParsedGroupVersions", "All legacy kube types successfully parsed"],
    ),
    condition(
      "NamespaceDeletionContentFailure",
      failures.length > 0,
      [
        "ContentDeletionFailed",
        `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(", ")}`,
      ],
      ["ContentDeleted", "All content successfully deleted, may be waiting on finalization"],
    ),
    condition(
      "NamespaceContentRemaining",
      remaining.length > 0,
      ["SomeResourcesRemain", `Some resources are remaining: ${remaining.join(", ")}`],
      ["ContentRemoved", "All content successfully removed"],
    ),
    condition(
      "NamespaceFinalizersRemaining",
      keeping.length > 0,
      [
        "SomeFinalizersRemain",
        `Some content in the namespace has finalizers remaining: ${keeping.join(", ")}`,
      ],
      ["ContentHasNoFinalizers", "All content-preserving finalizers finished"],
    ),
  ];
}

/** Keeps the transition time of what has not changed; undefined when nothing has. */
export function mergeConditions(
  before: readonly NamespaceCondition[],
  planned: readonly NamespaceCondition[],
): NamespaceCondition[] | undefined {
  let changed = false;
  const merged = planned.map((condition) => {
    const was = before.find(({ type }) => type === condition.type);
    if (
      was &&
      was.status === condition.status &&
      was.reason === condition.reason &&
      was.message === condition.message
    )
      return was;
    changed = true;
    return was?.status === condition.status
      ? { ...condition, lastTransitionTime: was.lastTransitionTime ?? "" }
      : condition;
  });
  return changed ? merged : undefined;
}
