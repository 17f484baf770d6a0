// Unlike Kubernetes, in the fast profile: before a pod's process gets SIGTERM, the pod is out of the EndpointSlices of
// every Service, and the proxies have had a moment to act on it. So no new connection meets a process that is ending.
import { endpointSlices } from "../../../src/api/kinds/endpoint-slice.ts";
import { labelMatcherOf } from "../../../src/api/selectors.ts";
import type { NodeContext, PodRecord } from "../context.ts";

// Bounded: without controllers (they are being restarted) a pod must end all the same.
const LIMIT_MS = 1_000;
const POLL_MS = 25;
// The proxies watch the same slices; one event's way to them is some milliseconds.
const PROXY_MS = 50;

export async function awaitEndpointRemoval(
  { client, clock, services }: NodeContext,
  { pod, state, uid }: PodRecord,
  signal: AbortSignal,
): Promise<void> {
  const serves = state.containers.some(({ running }) => running);
  const selected = services.list().some(({ spec, metadata }) => {
    const selector = spec?.selector;
    return (
      metadata.namespace === pod.metadata.namespace &&
      selector !== undefined &&
      Object.keys(selector).length > 0 &&
      labelMatcherOf(selector)(pod.metadata.labels)
    );
  });
  if (!serves || !selected) return;
  const deadline = clock.now() + LIMIT_MS;
  const namespace = pod.metadata.namespace;
  while (clock.now() < deadline && !signal.aborted) {
    const slices = await client.list(endpointSlices, namespace ? { namespace } : {}).catch(() => undefined);
    const isListed = slices?.items.some(({ endpoints }) =>
      endpoints?.some(({ targetRef, conditions }) => targetRef?.uid === uid && conditions?.ready !== false),
    );
    if (isListed === false) break;
    await clock.sleep(POLL_MS, signal);
  }
  await clock.sleep(PROXY_MS, signal);
}
