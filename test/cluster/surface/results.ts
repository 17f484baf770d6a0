// Where runs of the surface leave what they saw, for tools/compatibility.mjs, which makes the table in docs/compatibility.md of it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type Result, rowOf, type SurfaceCase } from "./case.ts";

const RESULTS = new URL("../../../node_modules/.cache/kubemu/surface.json", import.meta.url);

/** By row, then by kubectl version. */
export type SurfaceResults = Record<string, Record<string, Result | "fails">>;

interface Row {
  readonly verb: string;
  readonly form: string;
  readonly how: string;
  readonly results: SurfaceResults[string];
}

/** Adds what was seen to what earlier runs saw of the same cases. */
export function writeResults(
  seen: SurfaceResults,
  { cases, versions }: { cases: readonly SurfaceCase[]; versions: readonly string[] },
): void {
  const earlier = new Map(earlierRows().map((row) => [rowOf(row), row]));
  const rows = cases.map((each): Row => {
    const how = each.differs ?? each.absent ?? "";
    const before = earlier.get(rowOf(each));
    const kept = before?.how === how ? before.results : {};
    return { verb: each.verb, form: each.form, how, results: { ...kept, ...seen[rowOf(each)] } };
  });
  mkdirSync(new URL(".", RESULTS), { recursive: true });
  writeFileSync(RESULTS, JSON.stringify({ versions, rows }, null, 2));
}

function earlierRows(): readonly Row[] {
  if (!existsSync(RESULTS)) return [];
  return (JSON.parse(readFileSync(RESULTS, "utf8")) as { rows: readonly Row[] }).rows;
}
