// Amounts of resources, as apimachinery's resource.Quantity reads and writes them: `250m`, `1Gi`, `1e3`.
// Arithmetic is exact: a quantity is a whole number of nanos in a bigint; finer fractions round away from zero,
// as Kubernetes rounds them.

export type QuantityFormat = "decimal" | "binary" | "exponent";

export interface Quantity {
  /** The value times 10^9. */
  readonly nanos: bigint;
  /** Which family of suffixes it is written with. */
  readonly format: QuantityFormat;
}

export const QUANTITY_FORMAT_ERROR =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const SUFFIX_ERROR = "unable to parse quantity's suffix";

const DECIMAL_EXPONENTS: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const DECIMAL_SUFFIXES = new Map(Object.entries(DECIMAL_EXPONENTS).map(([suffix, power]) => [power, suffix]));
const BINARY_SUFFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const NANOS = 1_000_000_000n;
// apimachinery caps quantities in binary notation at the largest int64.
const LARGEST_BINARY = (2n ** 63n - 1n) * NANOS;
// Go keeps the exponent in an int32 and this in memory; without a limit `1e999999999` would fill ours.
const LARGEST_EXPONENT = 1_000;

/** Reads the text of a quantity. Throws an Error in Kubernetes' words when it is none. */
export function parseQuantity(text: string | number): Quantity {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/.exec(String(text));
  if (!match) throw new Error(QUANTITY_FORMAT_ERROR);
  const [, sign, whole = "", fraction = "", suffix = ""] = match;
  if (!whole && !fraction) throw new Error(QUANTITY_FORMAT_ERROR);
  const { base, power, format } = parseSuffix(suffix);
  let magnitude: bigint;
  const digits = BigInt(whole + fraction);
  if (base === 2) {
    magnitude = divideUp(digits * NANOS * 2n ** BigInt(power), 10n ** BigInt(fraction.length));
    if (magnitude > LARGEST_BINARY) magnitude = LARGEST_BINARY;
  } else {
    const shift = power + 9 - fraction.length;
    magnitude = shift >= 0 ? digits * 10n ** BigInt(shift) : divideUp(digits, 10n ** BigInt(-shift));
  }
  return { nanos: sign === "-" ? -magnitude : magnitude, format };
}

function parseSuffix(suffix: string): { base: 2 | 10; power: number; format: QuantityFormat } {
  if (Object.hasOwn(DECIMAL_EXPONENTS, suffix)) {
    return { base: 10, power: DECIMAL_EXPONENTS[suffix] ?? 0, format: "decimal" };
  }
  const binary = BINARY_SUFFIXES.indexOf(suffix);
  if (binary > 0) return { base: 2, power: binary * 10, format: "binary" };
  if (!/^[eE][-+]?\d+$/.test(suffix)) throw new Error(SUFFIX_ERROR);
  const power = Number(suffix.slice(1));
  if (Math.abs(power) > LARGEST_EXPONENT) throw new Error(SUFFIX_ERROR);
  return { base: 10, power, format: "exponent" };
}

const divideUp = (amount: bigint, by: bigint): bigint => (amount + by - 1n) / by;

/** The canonical text: no fraction, the largest suffix that needs none. */
export function quantityText({ nanos, format }: Quantity): string {
  if (nanos === 0n) return "0";
  const sign = nanos < 0n ? "-" : "";
  const magnitude = nanos < 0n ? -nanos : nanos;
  // Below 1024, and where a fraction would be lost, binary quantities are written in decimal.
  if (format === "binary" && magnitude >= 1024n * NANOS && magnitude % NANOS === 0n) {
    return sign + binaryText(magnitude / NANOS);
  }
  let digits = magnitude;
  let power = -9;
  const highest = format === "exponent" ? LARGEST_EXPONENT * 2 : 18;
  while (power + 3 <= highest && digits % 1000n === 0n) {
    digits /= 1000n;
    power += 3;
  }
  if (format === "exponent") return sign + digits + (power === 0 ? "" : `e${power}`);
  return sign + digits + DECIMAL_SUFFIXES.get(power);
}

function binaryText(amount: bigint): string {
  let digits = amount;
  let step = 0;
  while (step < BINARY_SUFFIXES.length - 1 && digits % 1024n === 0n) {
    digits /= 1024n;
    step++;
  }
  return `${digits}${BINARY_SUFFIXES[step]}`;
}

/** True when `text` is a quantity. */
export function isQuantity(text: string | number): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch {
    return false;
  }
}

// Short integers with a usual suffix need no bigint; they are nearly all that is written.
const SIMPLE = /^(0|[1-9]\d{0,2})(m|k|M|G|Ki|Mi|Gi)?$/;

/** The canonical form of a quantity's text: `1024Ki` → `1Mi`, `0.5` → `500m`. Throws when it is none. */
export function canonicalQuantity(text: string | number): string {
  if (typeof text === "string") {
    const simple = SIMPLE.exec(text);
    if (simple && (simple[1] !== "0" || !simple[2])) return text;
  }
  return quantityText(parseQuantity(text));
}

/** Writes amounts the way Kubernetes stores them (`0.5` → `500m`); what is no quantity is left to validation. */
export function canonicalAmounts(amounts: Record<string, string | undefined> | undefined): void {
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    if (amounts && amount !== undefined && isQuantity(amount)) amounts[name] = canonicalQuantity(amount);
  }
}

/** The value as a number: `250m` → 0.25, `1Gi` → 1073741824. Throws when the text is no quantity. */
export function quantityToNumber(text: string | number): number {
  const { nanos } = parseQuantity(text);
  return nanos % NANOS === 0n ? Number(nanos / NANOS) : Number(nanos) / 1e9;
}

/** Thousandths, rounded up (away from zero), as Quantity.MilliValue. */
export function milliValue(text: string | number): number {
  const { nanos } = parseQuantity(text);
  return nanos < 0n ? -Number(divideUp(-nanos, 1_000_000n)) : Number(divideUp(nanos, 1_000_000n));
}

/** The canonical text of a number of plain units. */
export function formatQuantity(value: number, format: "decimal" | "binary"): string {
  const nanos = Number.isInteger(value) ? BigInt(value) * NANOS : BigInt(Math.round(value * 1e9));
  return quantityText({ nanos, format });
}

/** Negative, zero or positive, as `a` is less than, equal to or greater than `b`. */
export function compareQuantities(a: string | number, b: string | number): number {
  const left = parseQuantity(a).nanos;
  const right = parseQuantity(b).nanos;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The exact sum, written in the format of the first. */
export function addQuantities(a: string | number, b: string | number): string {
  const left = parseQuantity(a);
  return quantityText({ nanos: left.nanos + parseQuantity(b).nanos, format: left.format });
}
