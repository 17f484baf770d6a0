// What every controller, and the scheduler, is given.
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Timing } from "../../base/timing.ts";
import type { Client } from "../../client/client.ts";
import type { InformerFactory } from "../../client/informer.ts";

export interface ControllerContext {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly log: Log;
  readonly clock: Clock;
  readonly timing: Timing;
  /** Where this cluster's addresses lie (docs/architecture.md, Addresses). */
  readonly addresses: {
    readonly slot: number;
    readonly singleAddress: boolean;
    /** Ports from here up may be bound. */
    readonly lowestPort: number;
  };
}

/** What every `startXxxController` returns. */
export interface RunningController {
  stop(): Promise<void>;
}
