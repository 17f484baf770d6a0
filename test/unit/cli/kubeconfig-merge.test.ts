import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { mergeKubeconfig, unmergeKubeconfig } from "../../../src/cli/kubeconfig-merge.ts";

interface Config {
  "current-context": string;
  clusters: { name: string; cluster: { server: string } }[];
  contexts: { name: string }[];
  users: { name: string }[];
}

const EXISTING = `# mine, do not touch
apiVersion: v1
kind: Config
current-context: work # the day job
clusters:
- name: work
  cluster: {server: "https://work.example"}
contexts:
- name: work
  context: {cluster: work, user: me}
users:
- name: me
  user: {token: secret}
`;

let folder: string;
let file: string;
let warnings: string[];
const before = process.env["KUBECONFIG"];
const warn = (line: string) => void warnings.push(line);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubemu merge "));
  file = join(folder, "config");
  warnings = [];
  process.env["KUBECONFIG"] = file;
});

afterEach(() => {
  if (before === undefined) delete process.env["KUBECONFIG"];
  else process.env["KUBECONFIG"] = before;
  rmSync(folder, { recursive: true, force: true });
});

function ownFile(cluster: string, server = "https://127.0.0.1:1"): string {
  const name = `kubemu-${cluster}`;
  const path = join(folder, `own-${cluster}`);
  writeFileSync(
    path,
    `apiVersion: v1\nkind: Config\ncurrent-context: ${name}\nclusters:\n- name: ${name}\n  cluster:\n    server: ${server}\ncontexts:\n- name: ${name}\n  context:\n    cluster: ${name}\n    user: ${name}\nusers:\n- name: ${name}\n  user: {}\n`,
  );
  return path;
}
const merge = (cluster: string, server?: string) => mergeKubeconfig(cluster, ownFile(cluster, server), warn);
const read = (path = file) => parse(readFileSync(path, "utf8")) as Config;

test("makes a file of its own where there is none, for this user only", () => {
  merge("a");
  expect(read()).toMatchObject({
    kind: "Config",
    "current-context": "kubemu-a",
    clusters: [{ name: "kubemu-a", cluster: { server: "https://127.0.0.1:1" } }],
    contexts: [{ name: "kubemu-a" }],
    users: [{ name: "kubemu-a" }],
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).sort()).toEqual(["config", "own-a"]);
});

test("leaves everything else as it was, remarks and mode included, and puts the current context back", () => {
  writeFileSync(file, EXISTING, { mode: 0o640 });
  merge("a");
  expect(read()["current-context"]).toBe("kubemu-a");
  expect(read().contexts.map(({ name }) => name)).toEqual(["work", "kubemu-a"]);
  unmergeKubeconfig("a", warn);
  expect(parse(readFileSync(file, "utf8"))).toEqual(parse(EXISTING));
  expect(readFileSync(file, "utf8")).toContain("# mine, do not touch");
  expect(statSync(file).mode & 0o777).toBe(0o640);
  expect(warnings).toEqual([]);
});

test("merged twice is there once, with the newer address, and still knows what was current before", () => {
  writeFileSync(file, EXISTING);
  merge("a");
  merge("a", "https://127.0.0.1:2");
  expect(read().clusters.filter(({ name }) => name === "kubemu-a")).toEqual([
    { name: "kubemu-a", cluster: { server: "https://127.0.0.1:2" } },
  ]);
  unmergeKubeconfig("a", warn);
  expect(read()["current-context"]).toBe("work");
});

test("two clusters go in any order, and a context that another chose stays current", () => {
  writeFileSync(file, EXISTING);
  merge("a");
  merge("b");
  unmergeKubeconfig("a", warn);
  expect(read()["current-context"]).toBe("kubemu-b");
  unmergeKubeconfig("b", warn);
  // The context that was current before b is gone.
  expect(read()["current-context"]).toBe("");
  expect(read().contexts.map(({ name }) => name)).toEqual(["work"]);
});

test("another cluster of the same name stays", () => {
  writeFileSync(file, EXISTING);
  const [here, there] = ["here", "there"].map((where) => {
    const own = ownFile("a", `https://${where}`);
    const path = `${own}-${where}`;
    const text = readFileSync(own, "utf8");
    writeFileSync(path, text.replace(/( +)server:.*/, `$&\n$1certificate-authority-data: ${where}`));
    return path;
  }) as [string, string];
  mergeKubeconfig("a", there, warn);
  unmergeKubeconfig("a", warn, here);
  expect(read()["current-context"]).toBe("kubemu-a");
  unmergeKubeconfig("a", warn, there);
  expect(read()["current-context"]).toBe("work");
});

test("understands the empty lists that kubectl writes as null", () => {
  writeFileSync(
    file,
    'apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: ""\nkind: Config\nusers: null\n',
  );
  merge("a");
  expect(read().users).toEqual([{ name: "kubemu-a", user: {} }]);
});

test.each(["clusters: [\n", "- a list\n", "just text\n"])(
  "leaves a file it cannot understand alone: %j",
  (text) => {
    writeFileSync(file, text);
    merge("a");
    expect(readFileSync(file, "utf8")).toBe(text);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(file);
    expect(existsSync(`${file}.lock`)).toBe(false);
  },
);

test("writes through a symbolic link and keeps it", () => {
  const target = join(folder, "dotfiles-config");
  writeFileSync(target, EXISTING);
  symlinkSync(target, file);
  merge("a");
  expect(lstatSync(file).isSymbolicLink()).toBe(true);
  expect(read(target)["current-context"]).toBe("kubemu-a");
});

test("of several files takes the first that exists, and takes its entries out of all", () => {
  const [absent, second, third] = ["absent", "second", "third"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(second, EXISTING);
  writeFileSync(third, EXISTING);
  process.env["KUBECONFIG"] = `${absent}:${second}:${third}`;
  merge("a");
  expect(read(second)["current-context"]).toBe("kubemu-a");
  process.env["KUBECONFIG"] = `${third}:${second}`;
  unmergeKubeconfig("a", warn);
  expect(read(second)["current-context"]).toBe("work");
  expect(existsSync(absent)).toBe(false);
  expect(readFileSync(third, "utf8")).toBe(EXISTING);
});
