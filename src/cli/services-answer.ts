// What a printed URL promises: that it can be curled now. A Service's pods may still be starting when the nodes are Ready.
import { endpoints } from "../api/kinds/endpoints.ts";
import { services } from "../api/kinds/service.ts";
import { keyOf } from "../api/object.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import type { Client } from "../client/client.ts";
import { startInformer } from "../client/start-informer.ts";

/**
 * Resolves once every Service with a selector has a ready endpoint, or after `patienceMs`: a Service may well select nothing, and
 * that is no reason to keep its user waiting.
 */
export async function servicesAnswer(
  client: Client,
  patienceMs: number,
  clock: Clock = systemClock,
): Promise<void> {
  const wanted = startInformer(client, services, { log: silentLog });
  const found = startInformer(client, endpoints, { log: silentLog });
  const answers = (key: string) =>
    (found.get(key)?.subsets ?? []).some(({ addresses }) => addresses && addresses.length > 0);
  const allAnswer = () =>
    wanted
      .list()
      .every((service) => Object.keys(service.spec.selector ?? {}).length === 0 || answers(keyOf(service)));
  const outOfPatience = new AbortController();
  try {
    await Promise.race([
      Promise.all([wanted.synced, found.synced]).then(() => found.when(allAnswer)),
      clock.sleep(patienceMs, outOfPatience.signal),
    ]);
  } finally {
    outOfPatience.abort();
    await Promise.all([wanted.stop(), found.stop()]);
  }
}
