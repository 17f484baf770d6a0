// The node's heartbeat: its Lease in kube-node-lease, renewed every leaseRenewMs with one small write. While the API
// server cannot be reached it is tried again soon, so that a restarted control plane hears of the node at once.
import { leases } from "../../../src/api/kinds/lease.ts";
import { hasReason } from "../../../src/api/status-error.ts";
import { microTimestamp } from "../../../src/base/clock.ts";
import type { NodeContext } from "../context.ts";

const NAMESPACE = "kube-node-lease";
// The kubelet backs off to 7 s between attempts; in proportion to its period of 10 s.
const RETRY_SHARE = 0.2;

/** Renews until `signal` aborts. The first renewal is made at once; resolves when the loop has ended. */
export async function keepLease(context: NodeContext, nodeUid: string, signal: AbortSignal): Promise<void> {
  const { settings, client, clock, timing, log } = context;
  const at = { namespace: NAMESPACE, name: settings.node };
  let failed = false;
  // A new node has none, and one that comes back learns at once that it has.
  let isThere = false;
  while (!signal.aborted) {
    try {
      await renew();
      if (failed) log.info({}, "lease renewed again");
      failed = false;
    } catch (error) {
      if (!failed && !signal.aborted) log.warn({ error: String(error) }, "lease not renewed");
      failed = true;
    }
    await clock.sleep(failed ? timing.leaseRenewMs * RETRY_SHARE : timing.leaseRenewMs, signal);
  }

  async function renew(): Promise<void> {
    const renewTime = microTimestamp(clock.now());
    const [likely, other, mistaken] = isThere
      ? ([update, create, "NotFound"] as const)
      : ([create, update, "AlreadyExists"] as const);
    try {
      await likely(renewTime);
    } catch (error) {
      if (!hasReason(error, mistaken)) throw error;
      await other(renewTime);
    }
    isThere = true;
  }

  async function update(renewTime: string): Promise<void> {
    await client.patch(leases, at, "merge", { spec: { renewTime } }, { signal });
  }

  async function create(renewTime: string): Promise<void> {
    await client.create(leases, {
      metadata: {
        ...at,
        ownerReferences: [{ apiVersion: "v1", kind: "Node", name: settings.node, uid: nodeUid }],
      },
      spec: {
        holderIdentity: settings.node,
        leaseDurationSeconds: Math.max(Math.round(timing.leaseDurationMs / 1000), 1),
        renewTime,
      },
    });
  }
}
