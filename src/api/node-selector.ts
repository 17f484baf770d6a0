// Which nodes a pod's nodeSelector and node affinity name (component-helpers' nodeaffinity).
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod } from "./generated/types.ts";

type Labels = Readonly<Record<string, string>>;
export type NodeMatcher = (node: Readonly<Node>) => boolean;

/** Everything a node must have for the pod: nodeSelector and the required terms of its affinity; undefined when any will do. */
export function requiredNodes(pod: Readonly<Pod>): NodeMatcher | undefined {
  const selector = Object.entries(pod.spec.nodeSelector ?? {});
  const terms =
    pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (selector.length === 0 && !terms) return undefined;
  return (node) => {
    const labels = node.metadata.labels ?? {};
    return (
      selector.every(([key, value]) => labels[key] === value) &&
      (!terms || terms.some((term) => matchesTerm(term, node)))
    );
  };
}

/** True when the node meets every requirement of the term. A term without any requirement matches no node. */
export function matchesTerm(term: NodeSelectorTerm, node: Readonly<Node>): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  return (
    expressions.every((requirement) => matchesRequirement(requirement, node.metadata.labels ?? {})) &&
    fields.every((requirement) => matchesRequirement(requirement, { "metadata.name": node.metadata.name }))
  );
}

function matchesRequirement(
  { key, operator, values = [] }: NodeSelectorRequirement,
  labels: Labels,
): boolean {
  const value = labels[key];
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return bothIntegers(value, values[0], (left, right) => left > right);
    case "Lt":
      return bothIntegers(value, values[0], (left, right) => left < right);
    default:
      return false;
  }
}

const INTEGER = /^[+-]?\d+$/;

function bothIntegers(
  left: string | undefined,
  right: string | undefined,
  compare: (left: bigint, right: bigint) => boolean,
): boolean {
  if (left === undefined || right === undefined || !INTEGER.test(left) || !INTEGER.test(right)) return false;
  return compare(BigInt(left.replace("+", "")), BigInt(right.replace("+", "")));
}
