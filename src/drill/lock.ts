// One drill at a time on a cluster: a Lease that names the process which holds it. A holder that is dead holds nothing.
import type { Lease } from "../api/generated/types.ts";
import { leases } from "../api/kinds/lease.ts";
import { hasReason } from "../api/status-error.ts";
import { microTimestamp, systemClock } from "../base/clock.ts";
import type { Client } from "../client/client.ts";
import { identityOf, isAlive } from "../process/identity.ts";
import { insist } from "./cluster.ts";

const AT = { namespace: "kube-system", name: "kubemu-drill" };

/** Resolves with the way to let go; throws where another drill runs. */
export async function holdCluster(client: Client, drill: string): Promise<() => Promise<void>> {
  const self = identityOf(process.pid);
  const holderIdentity = `${process.pid} ${self?.startTime ?? ""} ${drill}`;
  const spec = { holderIdentity, acquireTime: microTimestamp(systemClock.now()) as never };
  for (;;) {
    try {
      const found = await client.find(leases, AT);
      const [pid = "", startTime = "", name = ""] = (found?.spec.holderIdentity ?? "").split(" ");
      if (found && isAlive({ pid: Number(pid), startTime }))
        throw new Error(
          `the drill ${name} runs on this cluster (pid ${pid}); one at a time, as each would spoil the other's figures`,
        );
      if (found) await client.update(leases, { ...found, spec } as Lease);
      else await client.create(leases, { metadata: AT, spec });
      break;
    } catch (error) {
      // Somebody else was faster: look again.
      if (!hasReason(error, "Conflict") && !hasReason(error, "AlreadyExists")) throw error;
    }
  }
  return () =>
    insist(async () => {
      const found = await client.find(leases, AT);
      if (found?.spec.holderIdentity !== holderIdentity) return;
      await client.delete(leases, AT);
    });
}
