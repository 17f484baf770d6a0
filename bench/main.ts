// `npm run bench [SCENARIO…]`: runs the scenarios one after another and prints what they measured as JSON, with the machine and the
// commit; a table goes to standard error. Exit code 1 when a scenario could not run; a missed target is a figure, not an error.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { api } from "./api.ts";
import { crowd } from "./crowd.ts";
import type { Scenario } from "./figure.ts";
import { healing } from "./healing.ts";
import { idle } from "./idle.ts";
import { start } from "./start.ts";
import { throughput } from "./throughput.ts";

const scenarios: readonly Scenario[] = [start, healing, idle, api, crowd, throughput];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (unknown.length > 0) {
  console.error(
    `unknown scenario ${unknown.join(", ")}: one of ${scenarios.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}

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
    node: process.version,
  },
  scenarios: [] as unknown[],
};
for (const scenario of scenarios) {
  if (wanted.length > 0 && !wanted.includes(scenario.name)) continue;
  try {
    const figures = await scenario.run();
    report.scenarios.push({ name: scenario.name, figures });
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
