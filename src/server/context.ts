// What every part of the server is given.
import type { KubeObject } from "../api/object.ts";
import type { Registry } from "../api/registry.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Timing } from "../base/timing.ts";
import type { Entry, Store } from "../store/store.ts";
import type { AdmissionStep } from "./admission/chain.ts";
import type { Tokens } from "./tokens.ts";

/** Who one of the cluster's own processes is, by its token; undefined for any other token. */
export type ComponentTokens = (
  token: string,
) => { readonly name: string; readonly groups: readonly string[] } | undefined;

/** Where this cluster's addresses lie (docs/architecture.md, Addresses). */
export interface ClusterAddresses {
  readonly slot: number;
  readonly singleAddress: boolean;
  readonly lowestPort: number;
}

export interface ServerContext {
  readonly store: Store<KubeObject>;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
  readonly timing: Timing;
  readonly addresses: ClusterAddresses;
  readonly admission: readonly AdmissionStep[];
  readonly tokens: Tokens;
  readonly componentTokens?: ComponentTokens | undefined;
}

export type ObjectEntry = Entry<KubeObject>;
