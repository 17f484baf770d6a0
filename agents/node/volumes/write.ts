// Puts a payload on disk so that a reader sees either all of the old files or all of the new: a fresh directory is
// written, then the symlink `..data` is renamed over the old one. Layout as the kubelet's atomic writer:
//   volume/KEY → ..data/KEY     volume/..data → ..2026_…     volume/..2026_…/KEY
// All in one turn of the event loop: these are a few small files of our own, and an asynchronous call costs several times what such a call does.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { Payload } from "./payload.ts";

/** Returns false where the files already are as asked. */
export function writePayload(directory: string, payload: Payload): boolean {
  mkdirSync(directory, { recursive: true });
  const link = path.join(directory, "..data");
  const before = targetOf(link);
  if (before !== undefined && isSame(path.join(directory, before), payload)) return false;
  const stamp = new Date().toISOString().slice(0, 19).replace(/[-T:]/g, "_");
  const fresh = mkdtempSync(path.join(directory, `..${stamp}.`));
  for (const [file, { data, mode }] of payload) {
    const target = path.join(fresh, file);
    if (file.includes("/")) mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, data, { mode });
  }
  const name = path.basename(fresh);
  rmSync(`${link}_tmp`, { force: true });
  symlinkSync(name, `${link}_tmp`);
  renameSync(`${link}_tmp`, link);
  linkTopLevel(directory, payload);
  if (before !== undefined) rmSync(path.join(directory, before), { recursive: true, force: true });
  return true;
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

function linkTopLevel(directory: string, payload: Payload): void {
  const wanted = new Set([...payload.keys()].map((file) => file.split("/", 1)[0] ?? file));
  const present = readdirSync(directory).filter((name) => !name.startsWith(".."));
  for (const name of present) if (!wanted.has(name)) rmSync(path.join(directory, name), { force: true });
  for (const name of wanted)
    if (!present.includes(name)) symlinkSync(path.join("..data", name), path.join(directory, name));
}

function isSame(directory: string, payload: Payload): boolean {
  try {
    const files = readdirSync(directory, { recursive: true, withFileTypes: true });
    if (files.filter((entry) => entry.isFile()).length !== payload.size) return false;
    for (const [file, { data }] of payload)
      if (!readFileSync(path.join(directory, file)).equals(data)) return false;
    return true;
  } catch {
    // Something of it is gone.
    return false;
  }
}
