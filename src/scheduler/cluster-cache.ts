// The scheduler's picture of the cluster: every node with the pods on it, those included that the scheduler has just placed
// and no informer has shown yet (assumed pods). So a burst of pods sees its own placements.
import type { Node, Pod } from "../api/generated/types.ts";
import { NodeInfo } from "./node-info.ts";
import { type PodInfo, podInfo } from "./pod-info.ts";

interface Placed {
  readonly info: PodInfo;
  readonly node: NodeInfo;
  readonly assumed: boolean;
}

export class ClusterCache {
  readonly #nodes = new Map<string, NodeInfo>();
  readonly #placed = new Map<string, Placed>();
  #known: readonly NodeInfo[] | undefined;

  /** The nodes that have a Node object. */
  get nodes(): readonly NodeInfo[] {
    this.#known ??= [...this.#nodes.values()].filter(({ node }) => node);
    return this.#known;
  }

  setNode(node: Readonly<Node>): void {
    this.#nodeOf(node.metadata.name).setNode(node);
    this.#known = undefined;
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (!info) return;
    info.setNode(undefined);
    this.#dropIfUnused(info);
    this.#known = undefined;
  }

  /** A pod that the API says is on a node. Ends its being assumed. */
  setPod(pod: Readonly<Pod>): void {
    this.#place(podInfo(pod), pod.spec.nodeName ?? "", false);
  }

  /** Counts `pod` on `node` until the API confirms it, or forget is called. */
  assume(pod: PodInfo, node: string): void {
    this.#place(pod, node, true);
  }

  /** Takes back an assumption. A pod that the API has confirmed meanwhile stays. */
  forget(uid: string): void {
    if (this.#placed.get(uid)?.assumed) this.removePod(uid);
  }

  isAssumed(uid: string): boolean {
    return this.#placed.get(uid)?.assumed === true;
  }

  removePod(uid: string): void {
    const placed = this.#placed.get(uid);
    if (!placed) return;
    this.#placed.delete(uid);
    placed.node.remove(uid);
    this.#dropIfUnused(placed.node);
  }

  #place(info: PodInfo, nodeName: string, assumed: boolean): void {
    this.removePod(info.uid);
    const node = this.#nodeOf(nodeName);
    node.add(info);
    this.#placed.set(info.uid, { info, node, assumed });
  }

  #nodeOf(name: string): NodeInfo {
    let info = this.#nodes.get(name);
    if (!info) {
      info = new NodeInfo(name);
      this.#nodes.set(name, info);
    }
    return info;
  }

  #dropIfUnused(info: NodeInfo): void {
    if (!info.node && info.pods.size === 0) this.#nodes.delete(info.name);
  }
}
