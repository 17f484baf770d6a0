// hostPath volumes: a directory or file of the host, checked as its `type` asks.
import { mkdir, stat, writeFile } from "node:fs/promises";
import { VolumeError } from "./payload.ts";

type Check = "isDirectory" | "isFile" | "isSocket" | "isCharacterDevice" | "isBlockDevice";

const CHECKS: Readonly<Record<string, Check>> = {
  Directory: "isDirectory",
  DirectoryOrCreate: "isDirectory",
  File: "isFile",
  FileOrCreate: "isFile",
  Socket: "isSocket",
  CharDevice: "isCharacterDevice",
  BlockDevice: "isBlockDevice",
};

const WORDS: Readonly<Record<Check, string>> = {
  isDirectory: "directory",
  isFile: "file",
  isSocket: "socket file",
  isCharacterDevice: "character device",
  isBlockDevice: "block device",
};

/** Makes sure that the host has at `path` what `type` says. Throws a VolumeError in the kubelet's words. */
export async function prepareHostPath(path: string, type = ""): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found) {
    if (type === "DirectoryOrCreate") await mkdir(path, { recursive: true, mode: 0o755 });
    else if (type === "FileOrCreate") await writeFile(path, "", { flag: "a", mode: 0o644 });
    // A missing path without a type: container runtimes make a directory of it.
    else if (type === "") await mkdir(path, { recursive: true });
    else throw failed(path, type);
    return;
  }
  const check = CHECKS[type];
  if (check && !found[check]()) throw failed(path, type);
}

function failed(path: string, type: string): VolumeError {
  const check = CHECKS[type];
  return new VolumeError(`hostPath type check failed: ${path} is not a ${check ? WORDS[check] : type}`);
}
