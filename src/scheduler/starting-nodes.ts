// The nodes that start together with the cluster come milliseconds apart. What is to be placed by then would all go to the first of them, and the
// loss of that one would take a whole workload with it. Unlike Kubernetes, where a cluster is there before its pods: nothing is placed until
// they are Ready.

import type { Node } from "../api/generated/types.ts";
import { TAINT_NOT_READY, TAINT_OUT_OF_SERVICE, TAINT_UNREACHABLE } from "../api/names.ts";
import { isNodeReady } from "../api/node-status.ts";
import type { Clock } from "../base/clock.ts";
import type { LiveInformer } from "../client/informer.ts";

// A node that is later than this keeps the others' pods waiting no more.
const LONGEST_WAIT_MS = 3_000;
const NOT_THERE: ReadonlySet<string> = new Set([TAINT_NOT_READY, TAINT_UNREACHABLE, TAINT_OUT_OF_SERVICE]);

export interface StartingNodes {
  readonly names: readonly string[];
  readonly list: LiveInformer<Node>;
  readonly clock: Clock;
}

/** Resolves once all `names` are Ready, after some seconds without one of them, or when `signal` aborts. */
export async function startingNodesReady(
  { names, list, clock }: StartingNodes,
  signal: AbortSignal,
): Promise<void> {
  if (names.length === 0) return;
  const settled = new AbortController();
  const late = clock.sleep(LONGEST_WAIT_MS, AbortSignal.any([signal, settled.signal]));
  await Promise.race([list.when(() => names.every((name) => isReady(list.get(name)))), late]);
  settled.abort();
}

const isReady = (node: Readonly<Node> | undefined): boolean =>
  node !== undefined && isNodeReady(node) && !node.spec?.taints?.some(({ key }) => NOT_THERE.has(key));
