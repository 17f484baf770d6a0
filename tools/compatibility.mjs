// `npm run compatibility`: renders what KUBEMU_SURFACE=all runs of test/cluster/surface saw into the table of docs/compatibility.md, between its
// two markers. Refuses while a case failed or has not been run with every kubectl.
import { readFileSync, writeFileSync } from "node:fs";

const RESULTS = "node_modules/.cache/kubemu/surface.json";
const PAGE = "docs/compatibility.md";
const MARKERS = ["<!-- kubectl: begin -->", "<!-- kubectl: end -->"];
const SIGNS = { works: "✓", differs: "≠", "not there": "–" };

const { versions, rows } = read();
const failed = rows.flatMap(({ verb, form, results }) =>
  versions
    .filter((version) => !SIGNS[results[version]])
    .map((version) => `${version} ${verb} ${form}: ${results[version] ?? "not run"}`),
);
if (failed.length > 0) {
  console.error(`the table is made of a whole and clean run only:\n${failed.join("\n")}`);
  process.exit(1);
}

const cells = (values) => `| ${values.join(" | ")} |`;
const escaped = (text) => text.replaceAll("|", "\\|");
const table = [
  cells(["kubectl", "form", ...versions, "how"]),
  cells(["---", "---", ...versions.map(() => ":-:"), "---"]),
  ...rows.map(({ verb, form, how, results }) =>
    cells(
      [verb, escaped(form), ...versions.map((version) => SIGNS[results[version]]), how].map((one) =>
        one.trim(),
      ),
    ),
  ),
].join("\n");

const page = readFileSync(PAGE, "utf8");
const [begin, end] = MARKERS.map((marker) => page.indexOf(marker));
if (begin < 0 || end < begin) throw new Error(`${PAGE} lacks its markers ${MARKERS.join(" and ")}`);
writeFileSync(PAGE, `${page.slice(0, begin + MARKERS[0].length)}\n${table}\n${page.slice(end)}`);
console.log(`${rows.length} rows × ${versions.length} versions written to ${PAGE}`);

function read() {
  try {
    return JSON.parse(readFileSync(RESULTS, "utf8"));
  } catch (error) {
    console.error(
      `no results (${error.message}): run  KUBEMU_SURFACE=all npx vitest run --project cluster test/cluster/surface`,
    );
    process.exit(1);
  }
}
