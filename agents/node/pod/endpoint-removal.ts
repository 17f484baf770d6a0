// Unlike Kubernetes, in the fast profile: a pod's process gets SIGTERM once every proxy worker has said, on its ProxyWorker object, that
// it sends the pod no new connections (docs/decisions/0005-acknowledged-removal.md). So no new connection meets a process that is ending.
import type { ProxyWorker } from "../../../src/api/kinds/proxy-worker.ts";
import { labelMatcherOf } from "../../../src/api/selectors.ts";
import type { NodeContext, PodRecord } from "../context.ts";

// Bounded, so that a pod ends all the same. The first acknowledgement proves that controllers and API have done their part: from
// then on the other workers have this long, since one that is paused never answers.
const STRAGGLER_MS = 250;
// Without controllers (they are being restarted) there is no first one.
const LIMIT_MS = 1_000;

export async function awaitEndpointRemoval(
  context: NodeContext,
  record: PodRecord,
  signal: AbortSignal,
): Promise<void> {
  const { clock, proxyWorkers } = context;
  if (!record.state.containers.some(({ running }) => running) || !isSelected(context, record)) return;
  const over = new AbortController();
  const end = () => over.abort();
  signal.addEventListener("abort", end);
  let cancelStraggler: (() => void) | undefined;
  const look = () => {
    const { released, waiting } = countReleased(proxyWorkers.list(), record.uid);
    if (waiting === 0) end();
    else if (released > 0) cancelStraggler ??= clock.after(STRAGGLER_MS, end);
  };
  const unwatch = proxyWorkers.onChange(look);
  look();
  if (!signal.aborted && !over.signal.aborted) await clock.sleep(LIMIT_MS, over.signal);
  unwatch();
  cancelStraggler?.();
  signal.removeEventListener("abort", end);
}

/** How many workers have let go of the pod, and how many have not yet. */
export function countReleased(
  workers: readonly Readonly<ProxyWorker>[],
  uid: string,
): { released: number; waiting: number } {
  const released = workers.filter(({ status }) => status?.released?.includes(uid)).length;
  return { released, waiting: workers.length - released };
}

function isSelected({ services }: NodeContext, { pod }: PodRecord): boolean {
  return services.list().some(({ spec, metadata }) => {
    const selector = spec?.selector;
    return (
      metadata.namespace === pod.metadata.namespace &&
      selector !== undefined &&
      Object.keys(selector).length > 0 &&
      labelMatcherOf(selector)(pod.metadata.labels)
    );
  });
}
