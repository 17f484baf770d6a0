// The watched folder against a real API server: what server-side apply, strict decoding and validation make of manifests.
import { cpSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { configMaps } from "../../src/api/kinds/config-map.ts";
import { deployments } from "../../src/api/kinds/deployment.ts";
import { events } from "../../src/api/kinds/event.ts";
import { images } from "../../src/api/kinds/image.ts";
import { priorityClasses } from "../../src/api/kinds/priority-class.ts";
import { services } from "../../src/api/kinds/service.ts";
import { FOLDER_MANAGER } from "../../src/api/names.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { createRecorder } from "../../src/client/recorder.ts";
import { type FolderWatch, startFolder } from "../../src/folder/start-folder.ts";
import { startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
let folder: string;
let watches: FolderWatch[];
let lines: string[];

beforeEach(async () => {
  server = await startTestServer();
  folder = realpathSync(mkdtempSync(join(tmpdir(), "kubemu-folder-")));
  watches = [];
  lines = [];
});
afterEach(async () => {
  await Promise.all(watches.map((watch) => watch.stop()));
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start() {
  const { client, registry } = server;
  const recorder = createRecorder(client, { component: "folder", clock: systemClock });
  const report = ({ text }: { text: string }) => lines.push(text);
  const watch = await startFolder({
    folder,
    client,
    registry,
    recorder,
    log: silentLog,
    report,
    clock: systemClock,
  });
  watches.push(watch);
  return watch;
}
const until = (check: () => Promise<void> | void) => vi.waitFor(check, { timeout: 15_000, interval: 50 });
const at = (name: string) => ({ namespace: "default", name });

it("applies the quickstart, follows an edit without touching what it does not say, and takes it away again", async () => {
  cpSync("fixtures/quickstart", folder, { recursive: true });
  const { applied, errors } = await (await start()).firstApply;
  expect(errors).toEqual([]);
  expect(applied).toBeGreaterThanOrEqual(2);
  const { client } = server;
  const web = await client.get(deployments, at("web"));
  expect(web.metadata.managedFields?.[0]).toMatchObject({ manager: FOLDER_MANAGER, operation: "Apply" });
  const clusterIP = (await client.get(services, at("web"))).spec.clusterIP;
  expect(clusterIP).toBeTruthy();
  writeFileSync(
    join(folder, "web.yaml"),
    "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: {app: other}\n  ports: [{port: 8080}]\n",
  );
  await until(async () => expect(await client.find(deployments, at("web"))).toBeUndefined());
  const changed = await client.get(services, at("web"));
  expect(changed.spec).toMatchObject({ clusterIP, selector: { app: "other" }, ports: [{ port: 8080 }] });
});

it("knows again after a restart what is in no namespace, though its manifest names one", async () => {
  writeFileSync(
    join(folder, "urgent.yaml"),
    "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: urgent, namespace: default}\nvalue: 1\n",
  );
  writeFileSync(join(folder, "other.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n");
  const first = await start();
  expect(await first.firstApply).toEqual({ applied: 2, errors: [] });
  const { client } = server;
  const { uid } = (await client.get(priorityClasses, { name: "urgent" })).metadata;
  await first.stop();
  await start();
  rmSync(join(folder, "other.yaml"));
  // By the time that one is gone the other would be, too.
  await until(async () => expect(await client.find(configMaps, at("other"))).toBeUndefined());
  expect((await client.find(priorityClasses, { name: "urgent" }))?.metadata.uid).toBe(uid);
});

it("tells the server's findings with file and line, as an Event too, and applies the rest", async () => {
  writeFileSync(
    join(folder, "mixed.yaml"),
    [
      "apiVersion: kubemu.dev/v1alpha1\nkind: Image\nmetadata: {name: app}\nspec: {names: [app], command: [node]}\n",
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typo}\ndta: {}\n",
      "apiVersion: v1\nkind: Service\nmetadata: {name: Web}\nspec: {ports: [{port: 80}]}\n",
    ].join("---\n"),
  );
  const { errors } = await (await start()).firstApply;
  expect(errors.map(({ file, line }) => [file, line])).toEqual([
    ["mixed.yaml", 6],
    ["mixed.yaml", 11],
  ]);
  expect(errors[0]?.message).toContain('unknown field "dta"');
  expect(errors[1]?.message).toContain("a DNS-1035 label must consist of");
  expect(await server.client.get(images, { name: "app" })).toMatchObject({ spec: { names: ["app"] } });
  await until(async () => {
    const { items } = await server.client.list(events, { namespace: "default" });
    expect(items.filter(({ type, reason }) => type === "Warning" && reason === "FolderProblem")).toHaveLength(
      2,
    );
  });
});

it("waits for a namespace that comes later", async () => {
  writeFileSync(
    join(folder, "a.yaml"),
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop}\n",
  );
  const watch = await start();
  await until(() => expect(lines).toContain('a.yaml:1: namespaces "shop" not found'));
  writeFileSync(join(folder, "b.yaml"), "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
  expect((await watch.firstApply).errors).toEqual([]);
  expect(await server.client.find(configMaps, { namespace: "shop", name: "c" })).toBeDefined();
});

it("leaves alone after a restart what was scaled by hand", async () => {
  cpSync("fixtures/quickstart", folder, { recursive: true });
  const first = await start();
  await first.firstApply;
  await first.stop();
  await server.client.patch(deployments, at("web"), "merge", { spec: { replicas: 7 } });
  await (await start()).firstApply;
  expect((await server.client.get(deployments, at("web"))).spec.replicas).toBe(7);
});
