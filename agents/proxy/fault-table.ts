// Which faults (kubemu.dev/v1alpha1 Fault) concern which link between the proxy and an endpoint. A link keeps its LinkFault for as long
// as the same faults concern it, so that what waits for a cut link to be healed is found again.
import type { Fault } from "../../src/api/kinds/fault.ts";
import type { Clock } from "../../src/base/clock.ts";
import { parseGoDuration } from "../../src/base/duration.ts";
import type { Backend } from "./endpoints.ts";
import { createLinkFault, type FaultRates, type LinkFault, sumOfRates } from "./faults.ts";

export interface FaultTable {
  set(faults: readonly Readonly<Fault>[]): void;
  /** How much later changes of the Service's endpoints are to be acted on, in milliseconds. */
  endpointLagOf(service: string): number;
  /** What is wrong with the way from a Service (`namespace/name`) to one of its endpoints. */
  faultOf(service: string, backend: Pick<Backend, "pod" | "node">): LinkFault | undefined;
}

export function createFaultTable(clock: Clock): FaultTable {
  let faults: readonly Readonly<Fault>[] = [];
  const known = new Map<string, LinkFault>();
  return {
    set(next) {
      faults = next;
    },
    endpointLagOf(service) {
      const lags = faults.map(({ spec }) =>
        concerns(spec, service, {}) ? parseGoDuration(spec.endpointLag ?? "0") : 0,
      );
      return Math.max(0, ...lags.map((lagMs) => lagMs ?? 0));
    },
    faultOf(service, backend) {
      if (faults.length === 0) return undefined;
      const all = faults.filter(({ spec }) => isOfLinks(spec) && concerns(spec, service, backend));
      if (all.length === 0) return undefined;
      const rates = all.map(({ spec }) => ratesOf(spec));
      const key = JSON.stringify(rates);
      const fault = known.get(key) ?? createLinkFault(sumOfRates(rates), { clock });
      known.set(key, fault);
      return fault;
    },
  };
}

/** Pure: every one of `service`, `pod` and `node` that the fault names is the link's. */
export function concerns(
  { namespace = "default", service, pod, node }: Fault["spec"],
  serviceKey: string,
  backend: Pick<Backend, "pod" | "node">,
): boolean {
  const ownNamespace = serviceKey.slice(0, serviceKey.indexOf("/"));
  if (service !== undefined && serviceKey !== `${namespace}/${service}`) return false;
  if (pod !== undefined && (backend.pod !== pod || ownNamespace !== namespace)) return false;
  return node === undefined || backend.node === node;
}

/** Pure: it says something about links, and not only about how late endpoints are followed. */
const isOfLinks = ({ cut, latency, jitter, loss }: Fault["spec"]) =>
  [cut, latency, jitter, loss].some((each) => each !== undefined);

/** Pure. What cannot be read was refused when the object was written. */
export const ratesOf = ({ cut = false, latency, jitter, loss = 0 }: Fault["spec"]): FaultRates => ({
  cut,
  delayMs: parseGoDuration(latency ?? "0") ?? 0,
  jitterMs: parseGoDuration(jitter ?? "0") ?? 0,
  loss,
});
