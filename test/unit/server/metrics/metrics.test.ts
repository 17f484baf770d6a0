import { describe, expect, test } from "vitest";
import type { Node } from "../../../../src/api/generated/types.ts";
import { createMetrics } from "../../../../src/server/metrics/measure.ts";
import { measureBetween } from "../../../../src/server/metrics/rates.ts";
import { type ContainerCounters, parseSample, type Sample } from "../../../../src/server/metrics/scrape.ts";
import { createFakeClock } from "../../controllers/fake-clock.ts";

const START = 1_000_000;
const container = (cpuSeconds: number, more: Partial<ContainerCounters> = {}): ContainerCounters => ({
  ...{ namespace: "default", pod: "web", container: "c", startedAt: START, memoryBytes: 2048 * 1024 },
  cpuSeconds,
  ...more,
});
const sample = (atMs: number, cpuSeconds: number, containers: ContainerCounters[] = []): Sample => ({
  atMs,
  cpuSeconds,
  memoryBytes: 3 * 1024 * 1024,
  containers,
});

test("reads an agent's counters", () => {
  const text = `# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="c",namespace="default",pod="web"} 1.25
container_memory_working_set_bytes{container="c",namespace="default",pod="web"} 2097152
container_start_time_seconds{container="c",namespace="default",pod="web"} 1000
node_cpu_usage_seconds_total 7.5 1700000000000
node_memory_working_set_bytes 3145728 1700000000000
scrape_error 0
`;
  expect(parseSample(text, 5)).toEqual(sample(5, 7.5, [container(1.25)]));
});

describe("between two samples", () => {
  const measured = (first: ContainerCounters[], last: ContainerCounters[]) =>
    measureBetween(sample(START, 1, first), sample(START + 2000, 2, last), 1000).containers.map(
      ({ container: name, usage }) => `${name} ${usage.cpu} ${usage.memory}`,
    );

  test("CPU is the mean of the window, memory what it is at the end", () => {
    const { usage, windowMs } = measureBetween(sample(START, 1), sample(START + 2000, 2), 1000);
    expect([usage, windowMs]).toEqual([{ cpu: "500m", memory: "3Mi" }, 2000]);
    expect(measured([container(1)], [container(1.5, { memoryBytes: 5000 })])).toEqual(["c 250m 5Ki"]);
    expect(measured([container(1)], [container(1.000_000_4)])).toEqual(["c 200n 2Mi"]);
  });

  test("a container that began in between is measured from its start, again when it was restarted", () => {
    const young = { startedAt: START + 1000 };
    expect(measured([], [container(0.5, young)])).toEqual(["c 500m 2Mi"]);
    expect(measured([container(9)], [container(0.5, young)])).toEqual(["c 500m 2Mi"]);
  });

  test("a pod with a container too young for a rate is left out whole", () => {
    const young = container(0.1, { container: "new", startedAt: START + 1500 });
    const other = container(2, { pod: "db", container: "db" });
    expect(measured([container(1), other], [container(2), young, other])).toEqual(["db 0 2Mi"]);
  });

  test("what an orphan took along makes nothing negative", () => {
    expect(measured([container(2)], [container(1)])).toEqual(["c 0 2Mi"]);
  });
});

describe("measuring on demand", () => {
  const node = (name: string) => ({ metadata: { name } }) as Node;
  function make(names: string[], { down = [] as string[] } = {}) {
    const clock = createFakeClock();
    const asked: string[] = [];
    const metrics = createMetrics({
      clock,
      resolutionMs: 15_000,
      nodes: () => names.map(node),
      async sample({ metadata }) {
        if (down.includes(metadata.name)) throw new Error("connection refused");
        asked.push(metadata.name);
        // Half a core.
        return sample(clock.now(), clock.now() / 2000);
      },
    });
    const measure = async (passMs = 1000) => {
      const pending = metrics.measure();
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(passMs);
      return await pending;
    };
    return { clock, asked, metrics, measure };
  }

  test("the first to ask waits for a window, then the answer is good for a resolution", async () => {
    const { clock, asked, metrics, measure } = make(["a"]);
    const first = await measure();
    expect(first.get("a")).toMatchObject({ windowMs: 1000, usage: { cpu: "500m" } });
    clock.advance(14_999);
    expect(await metrics.measure()).toBe(first);
    expect(asked).toHaveLength(2);
  });

  test("who asks often is measured from one ask to the next, without a wait", async () => {
    const { clock, asked, metrics, measure } = make(["a"]);
    await measure();
    clock.advance(15_000);
    expect((await metrics.measure()).get("a")).toMatchObject({ windowMs: 15_000 });
    expect(asked).toHaveLength(3);
  });

  test("an old sample is no beginning of a window", async () => {
    const { clock, measure } = make(["a"]);
    await measure();
    clock.advance(60_001);
    expect((await measure()).get("a")).toMatchObject({ windowMs: 1000 });
  });

  test("many who ask at once are one question, and a node that does not answer is left out", async () => {
    const { asked, metrics, measure } = make(["a", "b"], { down: ["b"] });
    const [one, other] = await Promise.all([measure(), metrics.measure()]);
    expect(one).toBe(other);
    expect([...one.keys()]).toEqual(["a"]);
    expect(asked).toEqual(["a", "a"]);
  });

  test("a node that came later costs the others no precision", async () => {
    const names = ["a"];
    const { clock, measure } = make(names);
    await measure();
    names.push("b");
    clock.advance(15_000);
    const measured = await measure();
    expect(measured.get("b")).toMatchObject({ windowMs: 1000 });
    expect(measured.get("a")?.windowMs).toBe(16_000);
  });
});
