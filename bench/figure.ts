// What a scenario reports, and the floor it is measured against in the same run.
import { execFile } from "node:child_process";

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the value is divided by, measured in the same run, where the figure is a ratio. */
  readonly floor?: number;
  readonly ratio?: number;
  /** The bound the project set itself: `<= 12`, `>= 2500`. */
  readonly target?: string;
  readonly met?: boolean;
  readonly note?: string;
}

export interface Scenario {
  readonly name: string;
  run(): Promise<Figure[]>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const ROOTS = "NODE_EXTRA_CA_CERTS";

/**
 * Where a machine gives every Node roots of its own to trust, each Node reads them before anything else. Floors pay for that, and programs of
 * kubemu's do not, which never get the variable: there a figure whose floor starts Node is measured without it, too.
 */
export const WITHOUT_ROOTS =
  process.env[ROOTS] === undefined
    ? undefined
    : { env: { ...process.env, [ROOTS]: undefined }, words: `without ${ROOTS}, which this machine sets` };

const NODE_STARTS = 9;

/** Milliseconds from starting `node -e 0` to its end: the floor for everything that starts processes. */
export async function nodeStartMs(env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const spans: number[] = [];
  for (let run = 0; run < NODE_STARTS; run++) {
    const began = performance.now();
    await new Promise((done) => execFile(process.execPath, ["-e", "0"], { env }, done));
    spans.push(performance.now() - began);
  }
  return median(spans);
}

/** A figure with its bound checked. `against` is the value, or with a floor the ratio. */
export function figure(
  name: string,
  value: number,
  unit: string,
  bound: { floor?: number; most?: number; least?: number; note?: string } = {},
): Figure {
  const ratio = bound.floor === undefined ? undefined : value / bound.floor;
  const judged = ratio ?? value;
  const rounded = (number: number) => Math.round(number * 1000) / 1000;
  return {
    name,
    value: rounded(value),
    unit,
    ...(bound.floor === undefined ? {} : { floor: rounded(bound.floor), ratio: rounded(judged) }),
    ...(bound.most === undefined ? {} : { target: `<= ${bound.most}`, met: judged <= bound.most }),
    ...(bound.least === undefined ? {} : { target: `>= ${bound.least}`, met: judged >= bound.least }),
    ...(bound.note === undefined ? {} : { note: bound.note }),
  };
}
