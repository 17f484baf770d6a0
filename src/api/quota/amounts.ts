// Amounts of several resources at once: exact, and each written the way it was first given.
import { parseQuantity, type Quantity, quantityText } from "../../base/quantity.ts";

export type Amounts = ReadonlyMap<string, Quantity>;

export const ONE: Quantity = parseQuantity("1");
export const ZERO: Quantity = parseQuantity("0");

/** What is no quantity is left out: validation tells of it. */
export function amountsOf(quantities: Readonly<Record<string, string>> | undefined): Map<string, Quantity> {
  const amounts = new Map<string, Quantity>();
  for (const [name, text] of Object.entries(quantities ?? {})) {
    try {
      amounts.set(name, parseQuantity(text));
    } catch {}
  }
  return amounts;
}

export function addTo(to: Map<string, Quantity>, amounts: Amounts): Map<string, Quantity> {
  for (const [name, { nanos, format }] of amounts) {
    const before = to.get(name) ?? ZERO;
    to.set(name, { nanos: before.nanos + nanos, format: before.nanos === 0n ? format : before.format });
  }
  return to;
}

export function raiseTo(to: Map<string, Quantity>, amounts: Amounts): Map<string, Quantity> {
  for (const [name, amount] of amounts) {
    const before = to.get(name);
    if (!before || before.nanos < amount.nanos) to.set(name, amount);
  }
  return to;
}

/** As an object's field: `{ "requests.cpu": "1500m" }`. */
export const amountsField = (amounts: Amounts): Record<string, string> =>
  Object.fromEntries([...amounts].map(([name, amount]) => [name, quantityText(amount)]));

/** As a message names them: `cpu=1,memory=1Gi`. */
export const amountsText = (amounts: Amounts): string =>
  [...amounts]
    .map(([name, amount]) => `${name}=${quantityText(amount)}`)
    .sort()
    .join(",");
