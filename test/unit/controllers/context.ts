// What a controller's test starts from: a fake API, a fake clock, the real client and informers.
import type { KubeObject } from "../../../src/api/object.ts";
import { silentLog } from "../../../src/base/log.ts";
import { timingOf } from "../../../src/base/timing.ts";
import { createClient } from "../../../src/client/create-client.ts";
import { createInformers } from "../../../src/client/informers.ts";
import type { ControllerContext } from "../../../src/controllers/runtime/context.ts";
import { createFakeApi, type FakeApi } from "./fake-api.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

export interface TestContext extends ControllerContext {
  readonly api: FakeApi;
  readonly clock: FakeClock;
  /** `reason: message` of every event about an object of that name. */
  events(name: string): string[];
  stop(): Promise<void>;
}

export function createTestContext(addresses: Partial<ControllerContext["addresses"]> = {}): TestContext {
  const clock = createFakeClock();
  const api = createFakeApi(clock);
  const client = createClient(api.transport);
  const informers = createInformers(client, { log: silentLog, clock });
  type Recorded = KubeObject & { involvedObject: { name: string }; reason: string; message: string };
  return {
    api,
    clock,
    client,
    informers,
    log: silentLog,
    timing: timingOf("fast"),
    addresses: { slot: 20, singleAddress: false, lowestPort: 1024, ...addresses },
    events: (name) =>
      api
        .list<Recorded>("events")
        .filter(({ involvedObject }) => involvedObject.name === name)
        .map(({ reason, message }) => `${reason}: ${message}`),
    stop: () => informers.stop(),
  };
}

const TURNS = 500;

/** Lets everything that is under way go on until `condition` holds; fails when it has not after many turns of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`still not so: ${condition}`);
}

/** Lets everything that is under way come to rest, for tests of what must not happen. */
export async function settle(turns = 30): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
