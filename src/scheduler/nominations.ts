// The pods that others have made way for: each has a node in mind that is not free yet. Until it is placed, pods of no higher
// priority find the node as if it were there.
import type { PodInfo } from "./pod-info.ts";

export interface NominationView {
  /** The pods that mean to go to the node. */
  on(node: string): readonly PodInfo[];
  /** The node that the pod means to go to. */
  of(uid: string): string | undefined;
  /** True while `victim` is one of the pods that were chosen to make way for the pod. */
  awaits(uid: string, victim: string): boolean;
}

export const NO_NOMINATIONS: NominationView = { on: () => [], of: () => undefined, awaits: () => false };

interface Nomination {
  readonly info: PodInfo;
  readonly node: string;
  readonly victims: ReadonlySet<string>;
}

export class Nominations implements NominationView {
  readonly #all = new Map<string, Nomination>();

  set(info: PodInfo, node: string, victims: readonly PodInfo[] = []): void {
    this.#all.set(info.uid, { info, node, victims: new Set(victims.map(({ uid }) => uid)) });
  }

  /** True where there was one. */
  delete(uid: string): boolean {
    return this.#all.delete(uid);
  }

  on(node: string): readonly PodInfo[] {
    if (this.#all.size === 0) return [];
    return [...this.#all.values()].filter((one) => one.node === node).map(({ info }) => info);
  }

  of(uid: string): string | undefined {
    return this.#all.get(uid)?.node;
  }

  awaits(uid: string, victim: string): boolean {
    return this.#all.get(uid)?.victims.has(victim) === true;
  }
}
