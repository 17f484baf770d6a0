// The sentences that say why a pod stays Pending, put together as the scheduler's FitError does.

/** Why no node would do, by node. */
export interface Unfit {
  readonly nodeCount: number;
  readonly rejections: readonly { readonly reasons: readonly string[]; readonly final: boolean }[];
}

const NO_NODES = "no nodes available to schedule pods";
const NO_VICTIMS = "No preemption victims found for incoming pod";
const NOT_HELPFUL = "Preemption is not helpful for scheduling";

/**
 * `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. preemption: 0/3 nodes are available: 1 No
 * preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.`
 */
export function fitMessage(
  { nodeCount, rejections }: Unfit,
  preemption: "Never" | string | undefined,
): string {
  if (nodeCount === 0) return NO_NODES;
  const filtered = countReasons(
    nodeCount,
    rejections.flatMap(({ reasons }) => reasons),
  );
  if (preemption === "Never") return `${filtered} preemption: not eligible due to preemptionPolicy=Never.`;
  const preempted = countReasons(
    nodeCount,
    rejections.map(({ final }) => (final ? NOT_HELPFUL : NO_VICTIMS)),
  );
  return `${filtered} preemption: ${preempted}`;
}

// Kubernetes sorts the finished phrases as text, so `10 …` comes before `2 …`.
function countReasons(nodeCount: number, reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const phrases = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodeCount} nodes are available: ${phrases.join(", ")}.`;
}
