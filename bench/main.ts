// `npm run bench [SCENARIO…]`: runs the scenarios one after another and prints what they measured as JSON, with the machine and the
// commit; a table goes to standard error. Exit code 1 when a scenario could not run; a missed target is a figure, not an error.
// `--results FILE` also writes each scenario's section in FILE (docs/results.md), leaving those of the others alone.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { parseArgs } from "node:util";
import { api } from "./api.ts";
import { churn } from "./churn.ts";
import { crowd } from "./crowd.ts";
import { dataplane } from "./dataplane.ts";
import { drills } from "./drills.ts";
import type { Scenario } from "./figure.ts";
import { healing } from "./healing.ts";
import { idle } from "./idle.ts";
import { reference } from "./reference.ts";
import { writeResults } from "./results.ts";
import { start } from "./start.ts";
import { surface } from "./surface.ts";

const scenarios: readonly Scenario[] = [
  start,
  healing,
  idle,
  api,
  reference,
  surface,
  crowd,
  dataplane,
  churn,
  ...drills,
];
const groups: Readonly<Record<string, readonly Scenario[]>> = { drills };

const { values, positionals } = parseArgs({
  options: { results: { type: "string" } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !groups[name] && !scenarios.some((each) => each.name === name));
if (unknown.length > 0) {
  const names = [...scenarios.map(({ name }) => name), ...Object.keys(groups)];
  console.error(`unknown scenario ${unknown.join(", ")}: one of ${names.join(", ")}`);
  process.exit(2);
}
const wanted = scenarios.filter(
  (each) =>
    positionals.length === 0 ||
    positionals.some((name) => name === each.name || groups[name]?.includes(each)),
);

const commit = (() => {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
})();
const report = {
  commit,
  at: new Date().toISOString(),
  machine: {
    cores: cpus().length,
    model: cpus()[0]?.model,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
  },
  scenarios: [] as unknown[],
};
for (const scenario of wanted) {
  try {
    const figures = await scenario.run();
    report.scenarios.push({ name: scenario.name, figures });
    if (values.results) writeResults(values.results, scenario.name, figures, report);
    for (const each of figures) {
      const mark = each.met === undefined ? " " : each.met ? "✓" : "✗";
      const ratio = each.ratio === undefined ? "" : ` = ${each.ratio} × floor ${each.floor}`;
      console.error(
        `${mark} ${scenario.name}: ${each.name}: ${each.value} ${each.unit}${ratio} ${each.target ?? ""} ${each.note ?? ""}`,
      );
    }
  } catch (error) {
    process.exitCode = 1;
    report.scenarios.push({ name: scenario.name, error: String(error) });
    console.error(`! ${scenario.name}: ${error instanceof Error ? error.stack : error}`);
  }
}
mkdirSync("bench/out", { recursive: true });
writeFileSync(`bench/out/${commit}-${Date.now()}.json`, JSON.stringify(report, null, 2));
console.log(JSON.stringify(report, null, 2));
