// The table of docs/compatibility.md against the cases it is made from: a case that was added, changed or taken out shows here until
// `npm run compatibility` has been run.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { expectedResult, rowOf } from "../../cluster/surface/case.ts";
import { surfaceCases } from "../../cluster/surface/cases.ts";

const SIGNS = { works: "✓", differs: "≠", "not there": "–" };
const page = readFileSync(new URL("../../../docs/compatibility.md", import.meta.url), "utf8");
const table = page.slice(page.indexOf("<!-- kubectl: begin -->"), page.indexOf("<!-- kubectl: end -->"));
const [header = [], , ...rows] = table
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim().replaceAll("\\|", "|")),
  );
const versions = header.slice(2, -1);

test("the table has a column for each kubectl from 1.27 to 1.33", () => {
  expect(versions).toEqual(["1.27", "1.28", "1.29", "1.30", "1.31", "1.32", "1.33"]);
});

test("the table has a row for each case, in the same order, that says what the case says", () => {
  const wanted = surfaceCases.map((each) => [
    each.verb,
    each.form,
    ...versions.map((version) => SIGNS[expectedResult(each, version)]),
    each.differs ?? each.absent ?? "",
  ]);
  expect(rows).toEqual(wanted);
});

test("no two cases stand for the same row", () => {
  const names = surfaceCases.map(rowOf);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});
