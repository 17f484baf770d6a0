import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FOLDER_LABEL, FOLDER_SOURCE } from "../../../src/api/names.ts";
import { builtinKinds, createRegistry, type Registry } from "../../../src/api/registry.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLog } from "../../../src/base/log.ts";
import { type FolderWatch, startFolder } from "../../../src/folder/start-folder.ts";
import { createFakeCluster, type FakeCluster, invalidError } from "./fake-cluster.ts";

let folder: string;
let cluster: FakeCluster;
let lines: string[];
let events: string[];
let logged: unknown[];
let running: FolderWatch[];
let registry: Registry;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "kubemu-folder-")));
  cluster = createFakeCluster();
  lines = [];
  events = [];
  logged = [];
  running = [];
  registry = createRegistry(builtinKinds);
});
afterEach(async () => {
  await Promise.all(running.map((watch) => watch.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const configMap = (name: string, value = "1") =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  value: "${value}"\n`;
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
async function start(): Promise<FolderWatch> {
  const watch = await startFolder({
    folder,
    client: cluster.client,
    registry,
    recorder: { event: (_regarding, type, _reason, message) => events.push(`${type}: ${message}`) },
    log: { ...silentLog, child: () => ({ ...silentLog, warn: ({ problem }) => logged.push(problem) }) },
    report: ({ text }) => lines.push(text),
    clock: systemClock,
  });
  running.push(watch);
  return watch;
}
const until = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 20 });
const dataOf = (name: string) =>
  (cluster.get(`ConfigMap/default/${name}`) as { data?: Record<string, string> } | undefined)?.data?.[
    "value"
  ];
/** Waits until the folder has surely seen what was done before: it applies a file written after it. */
async function seen(): Promise<void> {
  const name = `marker-${cluster.applied.length}`;
  write(`${name}.yaml`, configMap(name));
  await until(() => expect(cluster.names()).toContain(`ConfigMap/default/${name}`));
}

// Real files and a real watcher: how long that takes is the machine's affair.
describe("startFolder", { timeout: 30_000 }, () => {
  it("applies every document below the folder, in order, with its label and source", async () => {
    mkdirSync(join(folder, "deep"));
    write("deep/a.yml", `${configMap("a")}---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n`);
    write(
      "b.json",
      JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name: "b", namespace: "shop" } }),
    );
    write("notes.txt", "not a manifest");
    write(".hidden.yaml", configMap("hidden"));
    mkdirSync(join(folder, "node_modules"));
    write("node_modules/package.json", "{}");
    const { applied, errors } = await (await start()).firstApply;
    expect([applied, errors]).toEqual([3, []]);
    expect(cluster.applied[0]).toBe("Namespace//shop");
    expect(cluster.names()).toEqual(["ConfigMap/default/a", "Namespace//shop", "Secret/shop/b"]);
    const { metadata } = cluster.get("ConfigMap/default/a") ?? {};
    expect(metadata?.annotations?.[FOLDER_SOURCE]).toBe("deep/a.yml");
    expect(metadata?.labels?.[FOLDER_LABEL]).toMatch(/^[0-9a-f]{12}$/);
  });

  it("applies a changed file again, and removes what a deleted file or a removed document had created", async () => {
    write("two.yaml", `${configMap("kept")}---\n${configMap("dropped")}`);
    write("gone.yaml", configMap("gone"));
    await (await start()).firstApply;
    write("two.yaml", configMap("kept", "2"));
    rmSync(join(folder, "gone.yaml"));
    await until(() => expect(cluster.names()).toEqual(["ConfigMap/default/kept"]));
    expect(dataOf("kept")).toBe("2");
  });

  it("applies a file again that is saved without a change", async () => {
    write("a.yaml", configMap("a"));
    await (await start()).firstApply;
    write("a.yaml", configMap("a"));
    await until(() => expect(cluster.applied).toHaveLength(2));
  });

  it("keeps an object that moves to another file", async () => {
    write("a.yaml", configMap("x"));
    await (await start()).firstApply;
    renameSync(join(folder, "a.yaml"), join(folder, "b.yaml"));
    await until(() =>
      expect(cluster.get("ConfigMap/default/x")?.metadata.annotations?.[FOLDER_SOURCE]).toBe("b.yaml"),
    );
    expect(cluster.deleted).toEqual([]);
  });

  it("reports a broken file with line and column, once, and keeps what it had applied", async () => {
    write("a.yaml", configMap("a"));
    await (await start()).firstApply;
    write("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [a\n");
    await until(() => expect(lines.some((line) => /^a\.yaml:\d+:\d+: /.test(line))).toBe(true));
    await seen();
    expect(cluster.names()).toContain("ConfigMap/default/a");
    expect(events.filter((event) => event.startsWith("Warning: a.yaml:"))).toHaveLength(1);
    write("a.yaml", configMap("a", "mended"));
    await until(() => expect(dataOf("a")).toBe("mended"));
  });

  it("goes on with the other documents when the server refuses one, and holds removals of that file", async () => {
    write("a.yaml", `${configMap("old")}---\n${configMap("good")}`);
    await (await start()).firstApply;
    cluster.refuse = (name) => (name.endsWith("/bad") ? invalidError("ConfigMap is invalid") : undefined);
    write("a.yaml", `${configMap("bad")}---\n${configMap("good", "2")}`);
    await until(() => expect(dataOf("good")).toBe("2"));
    await until(() => expect(lines).toContain("a.yaml:1: ConfigMap is invalid"));
    expect(logged).toEqual(["a.yaml:1: ConfigMap is invalid"]);
    await seen();
    expect(cluster.names()).toContain("ConfigMap/default/old");
  });

  it("tries again what may heal by itself", async () => {
    write("a.yaml", configMap("a"));
    let refusals = 3;
    cluster.refuse = () => (refusals-- > 0 ? new Error("connection refused") : undefined);
    const { applied, errors } = await (await start()).firstApply;
    expect([applied, errors]).toEqual([1, []]);
    expect(lines.filter((line) => line.includes("connection refused"))).toHaveLength(1);
  });

  it("does not wait for kinds that the server does not know, and applies them once it does", async () => {
    write("a.yaml", `${configMap("a")}---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n`);
    const { errors } = await (await start()).firstApply;
    expect(errors).toEqual([
      { file: "a.yaml", line: 8, message: 'no matches for kind "Widget" in version "example.com/v1"' },
    ]);
    expect(cluster.names()).toEqual(["ConfigMap/default/a"]);
    const resource = {
      group: "example.com",
      version: "v1",
      kind: "Widget",
      plural: "widgets",
      namespaced: true,
    };
    registry.add({ resource, schema: "", singular: "widget", nameRule: "dns-subdomain", columns: [] });
    await until(() => expect(cluster.names()).toContain("Widget/default/w"));
  });

  it("survives editors: truncating, half-written and replaced files remove nothing", async () => {
    write("a.yaml", `${configMap("a")}---\n${configMap("b")}`);
    await (await start()).firstApply;
    truncateSync(join(folder, "a.yaml"));
    await systemClock.sleep(30);
    write("a.yaml", configMap("a", "2"));
    await systemClock.sleep(30);
    write("a.yaml", `${configMap("a", "2")}---\n${configMap("b", "2")}`);
    await until(() => expect(dataOf("b")).toBe("2"));
    write("a.yaml~", configMap("backup"));
    write(".a.yaml.swp", "binary");
    write("next.tmp", `${configMap("a", "3")}---\n${configMap("b", "3")}`);
    rmSync(join(folder, "a.yaml"));
    renameSync(join(folder, "next.tmp"), join(folder, "a.yaml"));
    await until(() => expect(dataOf("b")).toBe("3"));
    expect(cluster.deleted).toEqual([]);
  });

  it("applies again what comes back while it is still being deleted, across restarts too", async () => {
    cluster.lingers = (name) => name.endsWith("/slow");
    write("slow.yaml", configMap("slow"));
    const first = await start();
    await first.firstApply;
    rmSync(join(folder, "slow.yaml"));
    await until(() => expect(cluster.deleted).toEqual(["ConfigMap/default/slow"]));
    write("slow.yaml", configMap("slow"));
    const why = "slow.yaml:1: ConfigMap slow is being deleted, and is applied again once it is gone";
    await until(() => expect(lines).toContain(why));
    await first.stop();
    await start();
    await until(() => expect(lines.filter((line) => line === why)).toHaveLength(2));
    // Also what the object that is there may not become.
    cluster.refuse = (name) =>
      cluster.get(name)?.metadata.deletionTimestamp ? invalidError("slow") : undefined;
    write("slow.yaml", configMap("slow", "2"));
    await seen();
    cluster.finishDeletions();
    await until(() => expect(dataOf("slow")).toBe("2"));
  });

  it("goes on across restarts: applies what changed meanwhile, removes what was deleted, leaves the rest alone", async () => {
    write("same.yaml", configMap("same"));
    write("changed.yaml", configMap("changed"));
    write("gone.yaml", configMap("gone"));
    const first = await start();
    await first.firstApply;
    await first.stop();
    cluster.applied.length = 0;
    write("changed.yaml", configMap("changed", "2"));
    rmSync(join(folder, "gone.yaml"));
    await (await start()).firstApply;
    expect(cluster.applied).toEqual(["ConfigMap/default/changed"]);
    await until(() => expect(cluster.deleted).toEqual(["ConfigMap/default/gone"]));
  });

  it("refuses symlinks that lead out, and follows those that do not", async () => {
    const outside = mkdtempSync(join(tmpdir(), "kubemu-outside-"));
    writeFileSync(join(outside, "secret.yaml"), configMap("secret"));
    symlinkSync(join(outside, "secret.yaml"), join(folder, "link.yaml"));
    symlinkSync(outside, join(folder, "directory"));
    mkdirSync(join(folder, ".data"));
    write(".data/inner.yaml", configMap("inner"));
    symlinkSync(join(folder, ".data/inner.yaml"), join(folder, "inner.yaml"));
    const { errors } = await (await start()).firstApply;
    expect(cluster.names()).toEqual(["ConfigMap/default/inner"]);
    expect(errors.map(({ file }) => file).sort()).toEqual(["directory", "link.yaml"]);
    expect(errors[0]?.message).toContain("symlink leads out of the folder");
    rmSync(outside, { recursive: true });
  });

  it("removes nothing when the whole folder goes away", async () => {
    write("a.yaml", configMap("a"));
    await (await start()).firstApply;
    renameSync(folder, `${folder}-moved`);
    await until(() => expect(lines.some((line) => line.includes("ENOENT"))).toBe(true));
    renameSync(`${folder}-moved`, folder);
    expect(cluster.deleted).toEqual([]);
  });

  it("says which folder does not exist", async () => {
    rmSync(folder, { recursive: true });
    await expect(start()).rejects.toThrow(`folder ${folder} does not exist`);
    writeFileSync(folder, "");
    await expect(start()).rejects.toThrow("is a file");
  });
});
