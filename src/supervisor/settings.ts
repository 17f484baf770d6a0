// What `kubemu up` tells the supervisor it starts, and what they say to each other while `up` waits or stays in the foreground.
import type { Profile } from "../base/timing.ts";
import type { ProxyModeWish } from "./proxy-mode.ts";
import type { ClusterOverview, FolderApplied, FolderLine } from "./state.ts";

export interface SupervisorSettings {
  readonly name: string;
  readonly dataDir: string;
  /** How many; undefined: as many as the cluster had, or 3. */
  readonly nodes?: number;
  readonly profile?: Profile;
  /** undefined: the one it had, or any free. */
  readonly apiPort?: number;
  readonly inMemory: boolean;
  /** undefined: as it was, or as the machine allows. */
  readonly singleAddress?: boolean;
  readonly folders: readonly string[];
  /** Default 0: proxies act on changes of endpoints at once. */
  readonly endpointLagMs?: number;
  /** Default: userspace. */
  readonly proxyMode?: ProxyModeWish;
}

export type FromSupervisor =
  | { readonly progress: string }
  | { readonly ready: true; readonly cluster: ClusterOverview; readonly folders: readonly FolderApplied[] }
  | { readonly failed: string }
  | { readonly line: FolderLine }
  | { readonly stopped: true };

/** `stop`: end the cluster. `detach`: `up` is about to leave, and its end is no reason to stop. */
export type ToSupervisor = { readonly stop: true } | { readonly detach: true };
