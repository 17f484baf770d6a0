// The sentences that say why a pod stays Pending, put together as the scheduler's FitError does.

/** Why no node would do, by node. */
export interface Unfit {
  readonly nodeCount: number;
  readonly reasons: readonly string[];
  /** The reason where it is one that has nothing to do with any node. */
  readonly everywhere?: string;
}

const NO_NODES = "no nodes available to schedule pods";

/**
 * `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. preemption: 0/3 nodes are available: 1 No
 * preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.` Without its second half where
 * `preemption` is undefined: pods have been told to make way.
 */
export function fitMessage(
  { nodeCount, reasons, everywhere }: Unfit,
  preemption: string | undefined,
): string {
  if (nodeCount === 0) return NO_NODES;
  const filtered = everywhere
    ? `0/${nodeCount} nodes are available: ${everywhere}.`
    : countReasons(nodeCount, reasons);
  return preemption === undefined ? filtered : `${filtered} preemption: ${preemption}`;
}

/** Kubernetes sorts the finished phrases as text, so `10 …` comes before `2 …`. */
export function countReasons(nodeCount: number, reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const phrases = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodeCount} nodes are available: ${phrases.join(", ")}.`;
}
