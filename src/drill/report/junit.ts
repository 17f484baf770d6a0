// The report as JUnit XML, which CI systems read: one test case for each thing that the drill expects, and one for its having run to its end.
import type { DrillReport } from "./report.ts";

export function reportJunit(report: DrillReport): string {
  const { drill, judgements, problem, interrupted, startedAt, endedAt } = report;
  const ran = problem ?? (interrupted ? "interrupted" : undefined);
  const cases = [
    { name: "runs to its end", failure: ran },
    ...judgements.map(({ what, wanted, got, met }) => ({
      name: `${what} ${wanted}`,
      failure: met ? undefined : `wanted ${wanted}, got ${got}`,
    })),
  ];
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const seconds = ((endedAt - startedAt) / 1_000).toFixed(3);
  const head = `name="${escaped(drill)}" tests="${cases.length}" failures="${failures}"`;
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<testsuites ${head} time="${seconds}">`,
    `  <testsuite ${head} time="${seconds}" timestamp="${new Date(startedAt).toISOString()}">`,
    ...cases.map(({ name, failure }) => {
      const start = `    <testcase classname="drill.${escaped(drill)}" name="${escaped(name)}" time="${seconds}"`;
      return failure === undefined
        ? `${start}/>`
        : `${start}><failure message="${escaped(failure)}"/></testcase>`;
    }),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For XML and HTML. What XML has no way to write at all is left out. */
export const escaped = (text: string): string =>
  [...text]
    .filter((each) => each >= " " || each === "\n" || each === "\t")
    .map((each) => ESCAPES[each] ?? each)
    .join("");
