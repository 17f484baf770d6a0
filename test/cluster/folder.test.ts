// The watched folder, with a real cluster: what is saved is applied, what is taken out is deleted, what is broken is reported.
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, eventually, startCluster } from "./harness.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "kubemu-folder-")));
const configMap = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  value: "${value}"\n`;
const save = (file: string, text: string) => writeFileSync(join(folder, file), text);
let cluster: Cluster;

const read = async (name: string) => {
  const { code, stdout } = await cluster.tryKubectl([
    "get",
    "configmap",
    name,
    "-o",
    "jsonpath={.data.value}",
  ]);
  return code === 0 ? stdout : undefined;
};

beforeAll(async () => {
  save("two.yaml", `${configMap("one", "1")}---\n${configMap("two", "2")}`);
  mkdirSync(join(folder, "below"));
  save(
    "below/list.json",
    JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "listed" }, data: { value: "l" } }],
    }),
  );
  save(
    "ordered.yaml",
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: inside, namespace: made-here}\ndata: {value: "in"}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: made-here}\n`,
  );
  cluster = await startCluster({ nodes: 1, folders: [folder] });
});
afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("everything below the folder is there when up returns", async () => {
  expect(await read("one")).toBe("1");
  expect(await read("two")).toBe("2");
  expect(await read("listed")).toBe("l");
  expect(
    await cluster.kubectl("get", "configmap", "inside", "-n", "made-here", "-o", "jsonpath={.data.value}"),
  ).toBe("in");
});

test("a changed file is applied again, an atomic save included", async () => {
  save("two.yaml", `${configMap("one", "1b")}---\n${configMap("two", "2")}`);
  await eventually("the change is in", async () => (await read("one")) === "1b");
  save(".two.yaml.swp", `${configMap("one", "1c")}---\n${configMap("two", "2")}`);
  renameSync(join(folder, ".two.yaml.swp"), join(folder, "two.yaml"));
  await eventually("the change is in", async () => (await read("one")) === "1c");
});

test("a broken file is reported with file, line and column, and what it had applied stays", async () => {
  save(
    "two.yaml",
    `${configMap("one", "1d")}---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: two\n data:\n   bad`,
  );
  const event = await eventually("a Warning Event", async () => {
    const events = await cluster.kubectl(
      "get",
      "events",
      "-A",
      "--field-selector",
      "type=Warning",
      "-o",
      "jsonpath={range .items[*]}{.message}{'\\n'}{end}",
    );
    return events.split("\n").find((line) => line.includes("two.yaml"));
  });
  expect(event).toMatch(/two\.yaml:\d+:\d+/);
  expect(await read("one")).toBe("1c");
  expect(await read("two")).toBe("2");
  save("two.yaml", `${configMap("one", "1e")}---\n${configMap("two", "2")}`);
  await eventually("it heals", async () => (await read("one")) === "1e");
});

test("a document taken out and a deleted file delete what they had created", async () => {
  save("two.yaml", configMap("one", "1e"));
  await eventually("two is gone", async () => (await read("two")) === undefined);
  expect(await read("one")).toBe("1e");
  rmSync(join(folder, "two.yaml"));
  await eventually("one is gone", async () => (await read("one")) === undefined);
  expect(await read("listed")).toBe("l");
});

test("a symlink that leads out of the folder is refused", async () => {
  const outside = realpathSync(mkdtempSync(join(tmpdir(), "kubemu-outside-")));
  writeFileSync(join(outside, "secret.yaml"), configMap("outside", "x"));
  symlinkSync(join(outside, "secret.yaml"), join(folder, "link.yaml"));
  await eventually("the refusal is reported", async () => {
    const events = await cluster.kubectl(
      "get",
      "events",
      "-A",
      "--field-selector",
      "type=Warning",
      "-o",
      "jsonpath={range .items[*]}{.message}{'\\n'}{end}",
    );
    return events.includes("link.yaml");
  });
  expect(await read("outside")).toBeUndefined();
  rmSync(outside, { recursive: true, force: true });
});
