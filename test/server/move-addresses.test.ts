// A cluster that starts in another range than the one its stored objects have addresses of.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KubeObject } from "../../src/api/object.ts";
import { moveAddresses } from "../../src/server/move-addresses.ts";
import { openStore } from "../../src/store/open-store.ts";
import type { Store } from "../../src/store/store.ts";

let dataDir: string;
let store: Store<KubeObject>;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "kubemu-move-"));
  store = await openStore<KubeObject>({ path: join(dataDir, "test.db"), durable: false });
});
afterEach(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const put = (key: string, name: string, spec: object) =>
  store.write(key, (_, revision) => ({
    put: { metadata: { name, resourceVersion: String(revision) }, spec } as unknown as KubeObject,
  }));
const putService = (name: string, clusterIP?: string) =>
  put(`services/default/${name}`, name, clusterIP ? { clusterIP, clusterIPs: [clusterIP] } : {});
const specOf = (key: string) => (store.get(key)?.object as { spec?: object } | undefined)?.spec;
const addressesOf = (...names: string[]) => names.map((name) => specOf(`services/default/${name}`));
const pair = (address: string) => ({ clusterIP: address, clusterIPs: [address] });
const at = (slot: number, singleAddress = false) => ({ slot, singleAddress, lowestPort: 0 });

test("ClusterIPs keep their place in the range of another slot", async () => {
  await putService("kubernetes", "127.17.192.1");
  await putService("web", "127.17.219.181");
  await putService("headless", "None");
  await putService("external");
  await moveAddresses(store, at(18));
  expect(addressesOf("kubernetes", "web", "headless", "external")).toEqual([
    pair("127.18.192.1"),
    pair("127.18.219.181"),
    pair("None"),
    {},
  ]);
  const entry = store.get("services/default/web");
  expect(entry?.object.metadata.resourceVersion).toBe(String(entry?.revision));
});

test("ClusterIPs move to single-address mode and back, each to one of its own", async () => {
  await putService("kubernetes", "127.17.192.1");
  await moveAddresses(store, at(17, true));
  expect(addressesOf("kubernetes")).toEqual([pair("10.96.0.1")]);
  // Two that have the same place once the range is smaller, and one that has none in it.
  await putService("low", "10.96.2.3");
  await putService("high", "10.96.200.3");
  await putService("there", "127.17.194.3");
  await moveAddresses(store, at(17));
  const [kubernetes, low, high, there] = addressesOf("kubernetes", "low", "high", "there") as {
    clusterIP: string;
  }[];
  expect(kubernetes?.clusterIP).toBe("127.17.192.1");
  expect(there?.clusterIP).toBe("127.17.194.3");
  expect(new Set([kubernetes, low, high, there].map((spec) => spec?.clusterIP)).size).toBe(4);
  for (const spec of [low, high])
    expect(spec?.clusterIP).toMatch(/^127\.17\.(19[2-9]|20\d|21\d|22[0-3])\.\d+$/);
});

test("Nodes lose the pod range of another slot, so that their agents can write the new one", async () => {
  const spec = { podCIDR: "127.17.1.0/24", podCIDRs: ["127.17.1.0/24"], unschedulable: true };
  await put("nodes/node-1", "node-1", spec);
  await moveAddresses(store, at(17));
  expect(specOf("nodes/node-1")).toEqual(spec);
  await moveAddresses(store, at(18));
  expect(specOf("nodes/node-1")).toEqual({ unschedulable: true });
});

test("nothing is written where nothing has moved", async () => {
  await putService("kubernetes", "127.17.192.1");
  await put("nodes/node-1", "node-1", { podCIDR: "127.17.1.0/24" });
  const { revision } = store;
  await moveAddresses(store, at(17));
  expect(store.revision).toBe(revision);
});
