// What the project promises about its own shape: who may import whom, no cycles, no barrels, sizes, every dependency accounted for.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");

function filesBelow(folder: string, ending = ".ts"): string[] {
  const absolute = join(ROOT, folder);
  return readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes("/generated/"));
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"|import\(\s*"([^"]+)"\s*\)/g;

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
  dynamic: boolean;
}

function importsOf(path: string): Import[] {
  const text = readFileSync(join(ROOT, path), "utf8");
  return [...text.matchAll(IMPORT)].map((match) => ({
    from: path,
    to: match[2] ?? match[3] ?? "",
    typeOnly: match[1] !== undefined,
    dynamic: match[3] !== undefined,
  }));
}

const sources = [...filesBelow("src"), ...filesBelow("agents")];
const imports = sources.flatMap(importsOf);
const local = imports
  .filter(({ to }) => to.startsWith("."))
  .map((found) => ({ ...found, to: relative(ROOT, resolve(ROOT, dirname(found.from), found.to)) }));

/** The part a file belongs to: `src/api`, `agents/node` … */
const partOf = (path: string) => path.split("/").slice(0, 2).join("/");

// design.md section 8. A part may always import itself; src/main.ts knows every part.
const ALLOWED: Record<string, readonly string[]> = {
  "src/base": [],
  "src/api": ["src/base"],
  "src/store": ["src/base"],
  "src/server": ["src/base", "src/api", "src/store"],
  "src/client": ["src/base", "src/api"],
  "src/controllers": ["src/base", "src/api", "src/client"],
  "src/scheduler": ["src/base", "src/api", "src/client"],
  "src/folder": ["src/base", "src/api", "src/client"],
  "src/process": ["src/base"],
  "src/pki": ["src/base"],
  "src/supervisor": ["src/base", "src/api", "src/client", "src/process", "src/pki"],
  "src/drill": ["src/base", "src/api", "src/client", "src/process", "src/supervisor"],
  "src/cli": ["src/base", "src/api", "src/client", "src/process", "src/supervisor", "src/drill"],
  "agents/node": ["src/base", "src/api", "src/client", "src/process"],
  "agents/proxy": ["src/base", "src/api", "src/client", "src/process"],
  "agents/containers": ["src/base"],
};
// Shapes that cross a border without any code: who takes a Transport or a controller's context, and what the supervisor tells its children.
const TYPE_BORDERS: readonly (readonly [string, string])[] = [
  ["src/server", "src/client/transport.ts"],
  ["src/scheduler", "src/controllers/runtime"],
  ["agents/node/streams", "agents/node"],
];
// The version that `kubemu --version` prints, and the words that a node agent and its pre-started containers say to each other.
const SHARED_FILES: ReadonlySet<string> = new Set(["package.json", "agents/containers/protocol.ts"]);
const CODE_BORDERS: readonly (readonly [string, string])[] = [["src/scheduler", "src/controllers/runtime"]];

describe("imports", () => {
  test("go only where design.md section 8 lets them", () => {
    const wrong = local.filter(({ from, to, typeOnly }) => {
      if (from === "src/main.ts" || SHARED_FILES.has(to)) return false;
      const [here, there] = [partOf(from), partOf(to)];
      if (here === there || (ALLOWED[here] ?? []).includes(there)) return false;
      const border = (pair: readonly [string, string]) => from.startsWith(pair[0]) && to.startsWith(pair[1]);
      return !((typeOnly && TYPE_BORDERS.some(border)) || CODE_BORDERS.some(border));
    });
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test("make no cycle of files", () => {
    const graph = new Map<string, string[]>();
    for (const { from, to, typeOnly, dynamic } of local) {
      if (!typeOnly && !dynamic) graph.set(from, [...(graph.get(from) ?? []), to]);
    }
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]) => {
      const at = trail.indexOf(path);
      if (at >= 0) {
        cycles.push([...trail.slice(at), path].join(" -> "));
        return;
      }
      if (done.has(path)) return;
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const path of graph.keys()) visit(path, []);
    expect(cycles).toEqual([]);
  });

  test("controllers do not know one another", () => {
    const folderOf = (path: string) => path.split("/")[2];
    const wrong = local.filter(
      ({ from, to }) =>
        partOf(from) === "src/controllers" &&
        partOf(to) === "src/controllers" &&
        folderOf(from) !== folderOf(to) &&
        !["runtime", "shared"].includes(folderOf(to) ?? ""),
    );
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test("name only packages that package.json lists, and each of those has a line in docs/decisions", () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Record<
      string,
      Record<string, string>
    >;
    const listed = Object.keys(manifest.dependencies ?? {});
    const used = new Set(
      imports
        .map(({ to }) => to)
        .filter((to) => !to.startsWith(".") && !to.startsWith("node:"))
        .map((to) => (to.startsWith("@") ? to.split("/").slice(0, 2).join("/") : (to.split("/")[0] ?? to))),
    );
    expect([...used].filter((name) => !listed.includes(name))).toEqual([]);
    expect(listed.filter((name) => !used.has(name))).toEqual([]);
    const decided = readFileSync(join(ROOT, "docs/decisions/0001-dependencies.md"), "utf8");
    expect(listed.filter((name) => !decided.includes(`\`${name}\``))).toEqual([]);
  });
});

describe("files", () => {
  const linesOf = (path: string) => readFileSync(join(ROOT, path), "utf8").split("\n").length - 1;

  test("stay under 400 lines, tests under 600, tables of data apart", () => {
    const isTable = (path: string) => readFileSync(join(ROOT, path), "utf8").startsWith("// Data:");
    const long = sources.filter((path) => linesOf(path) > 400 && !isTable(path));
    const longTests = filesBelow("test").filter((path) => linesOf(path) > 600);
    expect([...long, ...longTests].map((path) => `${path} ${linesOf(path)}`)).toEqual([]);
  });

  test("are kebab-case and no file only passes on what others export", () => {
    const named = sources.filter(
      (path) => !/^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(path.split("/").at(-1) ?? ""),
    );
    const barrels = sources.filter((path) => {
      const lines = readFileSync(join(ROOT, path), "utf8")
        .split("\n")
        .filter((line) => line.trim() && !line.startsWith("//"));
      return lines.length > 0 && lines.every((line) => /^export .* from "/.test(line));
    });
    expect([...named, ...barrels]).toEqual([]);
  });

  test("name nothing a helper, manager or util", () => {
    expect(sources.filter((path) => /helper|manager\.ts|util/i.test(path))).toEqual([]);
  });

  test("read the environment only where a program begins", () => {
    const allowed = /(^|\/)(main\.ts|cli\/)|agents\/containers\/|src\/process\//;
    const reading = sources.filter(
      (path) => !allowed.test(path) && /process\.env\b/.test(readFileSync(join(ROOT, path), "utf8")),
    );
    expect(reading).toEqual([]);
  });

  test("are no larger than a file under version control should be", () => {
    const large = filesBelow("docs", ".md").filter((path) => statSync(join(ROOT, path)).size > 200_000);
    expect(large).toEqual([]);
  });
});
