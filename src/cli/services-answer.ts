// What a printed URL promises: that it can be curled now. A Service's pods may still be starting when the nodes are Ready.
import { endpoints } from "../api/kinds/endpoints.ts";
import { services } from "../api/kinds/service.ts";
import { keyOf } from "../api/object.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Client } from "../client/client.ts";

const POLL_MS = 20;

/**
 * Resolves once every Service with a selector has a ready endpoint, or after `patienceMs`: a Service may well select nothing, and
 * that is no reason to keep its user waiting.
 */
export async function servicesAnswer(
  client: Client,
  patienceMs: number,
  clock: Clock = systemClock,
): Promise<void> {
  const deadline = clock.now() + patienceMs;
  for (;;) {
    const [wanted, found] = await Promise.all([client.list(services), client.list(endpoints)]);
    const ready = new Set(
      found.items
        .filter(({ subsets }) => subsets?.some(({ addresses }) => addresses && addresses.length > 0))
        .map(keyOf),
    );
    const waiting = wanted.items.filter(
      (service) => Object.keys(service.spec.selector ?? {}).length > 0 && !ready.has(keyOf(service)),
    );
    if (waiting.length === 0 || clock.now() > deadline) return;
    await clock.sleep(POLL_MS);
  }
}
