// One node with the pods on it and what they take, kept by adding and subtracting, never by counting again.
import type { Node } from "../api/generated/types.ts";
import type { PodInfo } from "./pod-info.ts";
import { type Amounts, amountsOf, type HostPort } from "./requests.ts";

type Labels = Readonly<Record<string, string>>;

export class NodeInfo {
  readonly name: string;
  /** Absent while pods are known to be on a node that is not (yet, or any more) known itself. */
  node: Readonly<Node> | undefined;
  allocatable: Amounts = {};
  readonly pods = new Map<string, PodInfo>();
  /** The pods whose (anti-)affinity must be asked when another pod is placed. */
  readonly withAffinity = new Set<PodInfo>();
  readonly withRequiredAntiAffinity = new Set<PodInfo>();
  readonly requested: Record<string, number> = {};
  readonly scored = { cpu: 0, memory: 0 };
  readonly #ports = new Map<string, { port: HostPort; users: number }>();

  constructor(name: string) {
    this.name = name;
  }

  get labels(): Labels {
    return this.node?.metadata.labels ?? {};
  }

  setNode(node: Readonly<Node> | undefined): void {
    if (node?.status?.allocatable !== this.node?.status?.allocatable || !node)
      this.allocatable = amountsOf(node?.status?.allocatable);
    this.node = node;
  }

  /** One to try things out on. */
  copy(): NodeInfo {
    const copy = new NodeInfo(this.name);
    copy.setNode(this.node);
    for (const pod of this.pods.values()) copy.add(pod);
    return copy;
  }

  add(pod: PodInfo): void {
    this.pods.set(pod.uid, pod);
    this.#count(pod, 1);
    const required = pod.requiredAntiAffinity.length > 0;
    if (required) this.withRequiredAntiAffinity.add(pod);
    if (
      required ||
      pod.requiredAffinity.length > 0 ||
      pod.preferredAffinity.length > 0 ||
      pod.preferredAntiAffinity.length > 0
    )
      this.withAffinity.add(pod);
  }

  remove(uid: string): void {
    const pod = this.pods.get(uid);
    if (!pod) return;
    this.pods.delete(uid);
    this.withAffinity.delete(pod);
    this.withRequiredAntiAffinity.delete(pod);
    this.#count(pod, -1);
  }

  /** True when a pod here has that port of an address that overlaps. */
  hasPort(wanted: HostPort): boolean {
    for (const { port } of this.#ports.values())
      if (
        port.port === wanted.port &&
        port.protocol === wanted.protocol &&
        (port.ip === wanted.ip || port.ip === "0.0.0.0" || wanted.ip === "0.0.0.0")
      )
        return true;
    return false;
  }

  #count(pod: PodInfo, sign: 1 | -1): void {
    for (const [name, amount] of Object.entries(pod.requests))
      this.requested[name] = (this.requested[name] ?? 0) + sign * amount;
    this.scored.cpu += sign * pod.scored.cpu;
    this.scored.memory += sign * pod.scored.memory;
    for (const port of pod.hostPorts) {
      const key = `${port.ip}/${port.protocol}/${port.port}`;
      const users = (this.#ports.get(key)?.users ?? 0) + sign;
      if (users > 0) this.#ports.set(key, { port, users });
      else this.#ports.delete(key);
    }
  }
}
