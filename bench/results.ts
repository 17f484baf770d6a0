// docs/results.md: a section for each scenario, with the commit and the machine that it was measured on.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Figure } from "./figure.ts";

export interface Circumstances {
  readonly commit: string;
  readonly at: string;
  readonly machine: {
    readonly cores: number;
    readonly model: string | undefined;
    readonly memoryGiB: number;
    readonly kernel: string;
    readonly node: string;
  };
}

const HEAD = `# Results

Written by \`npm run bench -- --results docs/results.md [SCENARIO…]\`: each section is one scenario's last run. What a figure is divided by (its floor) was measured in the same run; the machines are shared, so that figures vary.
`;

/** Replaces the scenario's section in the file, or adds it at the end. */
export function writeResults(
  file: string,
  scenario: string,
  figures: readonly Figure[],
  circumstances: Circumstances,
): void {
  const [, ...sections] = (existsSync(file) ? readFileSync(file, "utf8") : HEAD).split(/^(?=## )/m);
  const text = section(scenario, figures, circumstances);
  const at = sections.findIndex((each) => each.startsWith(`## ${scenario}\n`));
  const all = at < 0 ? [...sections, text] : sections.with(at, text);
  writeFileSync(file, [HEAD, ...all].map((each) => `${each.trimEnd()}\n`).join("\n"));
}

function section(
  scenario: string,
  figures: readonly Figure[],
  { commit, at, machine }: Circumstances,
): string {
  const rows = figures.map(
    ({ name, value, unit, ratio, floor, target, met, note = "" }) =>
      `| ${[name, measured({ value, unit, ratio, floor }), bound(target), met === undefined ? "" : met ? "yes" : "no", note].join(" | ")} |`,
  );
  const { cores, model = "", memoryGiB, kernel, node } = machine;
  return [
    `## ${scenario}`,
    `${at.slice(0, 10)}, commit ${commit}, ${cores} cores (${model.trim()}), ${memoryGiB} GiB, ${kernel}, Node ${node.replace("v", "")}.`,
    "",
    "| figure | measured | to reach | reached | |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

type Measured = Pick<Figure, "value" | "unit"> & { readonly [K in "ratio" | "floor"]: number | undefined };

function measured({ value, unit, ratio, floor }: Measured): string {
  if (Number.isNaN(value)) return "not measured";
  const text = `${value.toLocaleString("en-US")} ${unit}`;
  return ratio === undefined || floor === undefined
    ? text
    : `${ratio.toFixed(2)} (${text} ÷ ${floor.toLocaleString("en-US")})`;
}

const bound = (target = ""): string => target.replace("<=", "≤").replace(">=", "≥");
