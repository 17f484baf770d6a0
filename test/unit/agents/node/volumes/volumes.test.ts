import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { References } from "../../../../../agents/node/containers/environment.ts";
import { prepareHostPath } from "../../../../../agents/node/volumes/host-path.ts";
import { mountVolumes } from "../../../../../agents/node/volumes/mount.ts";
import {
  checkedPath,
  isSamePayload,
  type Payload,
  volumePayload,
} from "../../../../../agents/node/volumes/payload.ts";
import { writePayload } from "../../../../../agents/node/volumes/write.ts";
import type { Pod } from "../../../../../src/api/generated/types.ts";

const directory = mkdtempSync(path.join(tmpdir(), "kubemu-volumes-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const pod: Pod = {
  metadata: { name: "web", namespace: "shop", uid: "u", creationTimestamp: "", resourceVersion: "1" },
  spec: { containers: [{ name: "a" }] },
};
const references: References = {
  configMap: async (_namespace, name) =>
    name === "cfg" ? { a: Buffer.from("1"), b: Buffer.from("2") } : undefined,
  secret: async () => undefined,
};
const sources = {
  facts: { pod, podIP: "127.16.1.2", hostIP: "127.16.1.1", nodeName: "n1", allocatable: {} },
  references,
  token: async () => "a-token",
};
const payload = (files: Record<string, string>): Payload =>
  new Map(Object.entries(files).map(([name, text]) => [name, { data: Buffer.from(text), mode: 0o644 }]));

describe("volumePayload", () => {
  it("picks and renames the items of a ConfigMap", async () => {
    const volume = {
      name: "v",
      configMap: { name: "cfg", items: [{ key: "a", path: "deep/x", mode: 0o600 }] },
    };
    expect(await volumePayload(volume, sources)).toEqual(
      new Map([["deep/x", { data: Buffer.from("1"), mode: 0o600 }]]),
    );
  });

  it("joins the sources of a projected volume", async () => {
    const projected = {
      sources: [
        { serviceAccountToken: { path: "token" } },
        { configMap: { name: "cfg", items: [{ key: "b", path: "b" }] } },
        { downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
      ],
    };
    const files = await volumePayload({ name: "v", projected }, sources);
    expect([...(files ?? [])].map(([name, { data }]) => `${name}=${data}`)).toEqual([
      "token=a-token",
      "b=2",
      "name=web",
    ]);
  });

  it("says what is missing as the kubelet does", async () => {
    await expect(volumePayload({ name: "v", configMap: { name: "x" } }, sources)).rejects.toThrow(
      'configmap "x" not found',
    );
    await expect(volumePayload({ name: "v", secret: { secretName: "x" } }, sources)).rejects.toThrow(
      'secret "x" not found',
    );
    const optional = { name: "v", secret: { secretName: "x", optional: true } };
    expect(await volumePayload(optional, sources)).toEqual(new Map());
  });

  it.each(["../up", "/abs", "a/../../b", "", "..data"])("refuses the path %j", (bad) =>
    expect(() => checkedPath(bad)).toThrow("invalid path"),
  );
});

describe("writePayload", () => {
  it("swaps all files at once and drops what is gone", async () => {
    const volume = path.join(directory, "cfg");
    expect(writePayload(volume, payload({ a: "1", "d/b": "2" }))).toBe(true);
    const first = readlinkSync(path.join(volume, "..data"));
    expect(readFileSync(path.join(volume, "d/b"), "utf8")).toBe("2");
    expect(readlinkSync(path.join(volume, "a"))).toBe("..data/a");
    expect(writePayload(volume, payload({ a: "1", "d/b": "2" }))).toBe(false);
    expect(writePayload(volume, payload({ a: "3" }))).toBe(true);
    expect(readlinkSync(path.join(volume, "..data"))).not.toBe(first);
    expect(readFileSync(path.join(volume, "a"), "utf8")).toBe("3");
    expect(() => lstatSync(path.join(volume, "d"))).toThrow("ENOENT");
  });
});

describe("isSamePayload", () => {
  it("looks at names, contents and modes", () => {
    const one = payload({ a: "1", "d/b": "2" });
    expect(isSamePayload(one, payload({ a: "1", "d/b": "2" }))).toBe(true);
    expect(isSamePayload(one, payload({ a: "1" }))).toBe(false);
    expect(isSamePayload(one, payload({ a: "1", "d/c": "2" }))).toBe(false);
    expect(isSamePayload(one, payload({ a: "1", "d/b": "3" }))).toBe(false);
    const stricter = new Map([...one].map(([file, { data }]) => [file, { data, mode: 0o400 }]));
    expect(isSamePayload(one, stricter)).toBe(false);
  });
});

describe("prepareHostPath", () => {
  it("checks and creates by type", async () => {
    const file = path.join(directory, "file");
    await prepareHostPath(file, "FileOrCreate");
    await prepareHostPath(file, "File");
    await expect(prepareHostPath(file, "Directory")).rejects.toThrow(
      `hostPath type check failed: ${file} is not a directory`,
    );
    await expect(prepareHostPath(path.join(directory, "none"), "Directory")).rejects.toThrow(
      "is not a directory",
    );
  });
});

describe("mountVolumes", () => {
  const volume = path.join(directory, "data");
  mkdirSync(path.join(volume, "sub"), { recursive: true });
  writeFileSync(path.join(volume, "sub", "x"), "x");
  const mount = (root: string, mountPath: string, subPath?: string) =>
    mountVolumes({
      container: { name: "a", volumeMounts: [{ name: "v", mountPath, ...(subPath ? { subPath } : {}) }] },
      root,
      volumes: new Map([["v", volume]]),
      environment: {},
    });
  const newRoot = () => mkdtempSync(path.join(directory, "root-"));

  it("shows a volume, or a part of it, below the root", async () => {
    const root = newRoot();
    await mount(root, "/var/data");
    expect(readFileSync(path.join(root, "var/data/sub/x"), "utf8")).toBe("x");
    await mount(root, "/part", "sub");
    expect(readFileSync(path.join(root, "part/x"), "utf8")).toBe("x");
  });

  it("keeps mounts inside the root and subpaths inside the volume", async () => {
    const root = newRoot();
    await mount(root, "/../../escape");
    expect(lstatSync(path.join(root, "escape")).isSymbolicLink()).toBe(true);
    await expect(mount(root, "/x", "../..")).rejects.toThrow("invalid path");
    symlinkSync("/etc", path.join(volume, "out"));
    await expect(mount(root, "/x", "out")).rejects.toThrow("leads out of the volume");
  });
});
