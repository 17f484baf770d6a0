// The scenarios whose figures docs/results.md shows, short: each can be run, nothing fails meanwhile, and the results are written.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Figure } from "../../bench/figure.ts";
import { KUBEMU, run } from "./harness.ts";

const BENCH = join(KUBEMU, "../bench.mjs");
const folder = mkdtempSync(join(tmpdir(), "kubemu-bench-"));
const results = join(folder, "results.md");
afterAll(() => rmSync(folder, { recursive: true }));

const COUNTS = "requests=600,drains=1,pods=3,nodes=1,containers=3,programs=1,rate=60";

test.each([
  ["rolling"],
  ["rolling-l4"],
  ["drains"],
  ["pod-kills"],
  ["node-kills"],
  ["switches"],
  ["program-kills"],
  ["container-kills"],
  ["dataplane"],
])("bench %s", async (scenario) => {
  const env = { ...process.env, KUBEMU_BENCH_COUNTS: COUNTS, KUBEMU_BENCH_SECONDS: "0.5" };
  const { code, stdout, stderr } = await run(process.execPath, [BENCH, "--results", results, scenario], {
    env,
  });
  expect(code, stderr).toBe(0);
  const { scenarios } = JSON.parse(stdout) as { scenarios: { figures: Figure[] }[] };
  const figures = scenarios[0]?.figures ?? [];
  expect(figures.length).toBeGreaterThan(0);
  // How fast is for a quiet machine to say; that nothing fails holds on any.
  const counted = figures.filter(
    ({ unit, name }) => /^(failed|refused)$/.test(unit) && !name.includes("in flight"),
  );
  expect(counted.filter(({ value }) => value !== 0)).toEqual([]);
  const written = readFileSync(results, "utf8");
  expect(written).toMatch(new RegExp(`^## ${scenario}\\n.*commit`, "m"));
  for (const { name } of figures) expect(written).toContain(`| ${name} |`);
});
