// Measures the nodes when somebody asks, so that a cluster whose use nobody asks for spends nothing on it. Who asks often (an autoscaler)
// is measured from one ask to the next; who asks once waits for the shortest window.
import type { Node } from "../../api/generated/types.ts";
import type { Clock } from "../../base/clock.ts";
import { measureBetween, type NodeMeasurement } from "./rates.ts";
import type { Sample } from "./scrape.ts";

// Linux counts CPU time in hundredths of a second: within a second a hundredth of a core can be told.
const SHORTEST_WINDOW_MS = 1000;
// So many resolutions after a sample nobody wants to know what was used since.
const LONGEST_WINDOW = 4;

/** By node; nodes that do not answer are not in it. */
export type Measurements = ReadonlyMap<string, NodeMeasurement>;

export interface Metrics {
  measure(): Promise<Measurements>;
}

export interface MetricsSource {
  readonly clock: Clock;
  /** What was measured is good for so long. */
  readonly resolutionMs: number;
  nodes(): readonly Readonly<Node>[];
  /** Rejects where the node does not answer. */
  sample(node: Readonly<Node>): Promise<Sample>;
}

export function createMetrics({ clock, resolutionMs, nodes, sample }: MetricsSource): Metrics {
  let samples: ReadonlyMap<string, Sample> = new Map();
  let latest: { readonly atMs: number; readonly measurements: Measurements } | undefined;
  let underWay: Promise<Measurements> | undefined;

  const sampleAll = async () => {
    const found = await Promise.all(
      nodes().map(async (node) => {
        const taken = await sample(node).catch(() => undefined);
        return taken ? [[node.metadata.name, taken] as const] : [];
      }),
    );
    return new Map(found.flat());
  };
  /** Those of `last` that have a sample of some use before them. */
  const compare = (last: ReadonlyMap<string, Sample>) =>
    new Map(
      [...last].flatMap(([name, after]) => {
        const before = samples.get(name);
        const windowMs = before ? after.atMs - before.atMs : 0;
        if (!before || windowMs < SHORTEST_WINDOW_MS || windowMs > LONGEST_WINDOW * resolutionMs) return [];
        return [[name, measureBetween(before, after, SHORTEST_WINDOW_MS)] as const];
      }),
    );
  const measure = async () => {
    let last = await sampleAll();
    let measurements = compare(last);
    if (measurements.size < last.size) {
      samples = new Map([...last, ...keep(samples, measurements)]);
      await clock.sleep(SHORTEST_WINDOW_MS);
      last = await sampleAll();
      measurements = compare(last);
    }
    samples = last;
    latest = { atMs: clock.now(), measurements };
    return measurements;
  };
  return {
    async measure() {
      if (latest && clock.now() - latest.atMs < resolutionMs) return latest.measurements;
      underWay ??= measure().finally(() => {
        underWay = undefined;
      });
      return await underWay;
    },
  };
}

/** The older samples of the nodes for which they will do. */
const keep = (samples: ReadonlyMap<string, Sample>, measured: Measurements) =>
  [...samples].filter(([name]) => measured.has(name));
