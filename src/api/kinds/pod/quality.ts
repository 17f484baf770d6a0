// Quality-of-service class, as Kubernetes' ComputePodQOS: only cpu and memory of containers and init containers count.
import { compareQuantities, isQuantity } from "../../../base/quantity.ts";
import type { Container, PodSpec } from "../../generated/types.ts";

const COUNTED = ["cpu", "memory"];

export function qualityOf(spec: PodSpec): "Guaranteed" | "Burstable" | "BestEffort" {
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const asks = containers.some((container) => COUNTED.some((name) => asksFor(container, name)));
  if (!asks) return "BestEffort";
  return containers.every(isGuaranteed) ? "Guaranteed" : "Burstable";
}

const asksFor = ({ resources }: Container, name: string): boolean =>
  isPositive(resources?.requests?.[name]) || isPositive(resources?.limits?.[name]);

const isGuaranteed = ({ resources }: Container): boolean =>
  COUNTED.every((name) => {
    const limit = resources?.limits?.[name];
    const request = resources?.requests?.[name] ?? limit;
    return (
      isPositive(limit) &&
      request !== undefined &&
      isQuantity(request) &&
      compareQuantities(limit, request) === 0
    );
  });

const isPositive = (amount: string | undefined): amount is string =>
  amount !== undefined && isQuantity(amount) && compareQuantities(amount, "0") > 0;
