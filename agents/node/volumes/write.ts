// Puts a payload on disk so that a reader sees either all of the old files or all of the new: a fresh directory is
// written, then the symlink `..data` is renamed over the old one. Layout as the kubelet's atomic writer:
//   volume/KEY → ..data/KEY     volume/..data → ..2026_…     volume/..2026_…/KEY
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import type { Payload } from "./payload.ts";

/** Returns false where the files already are as asked. */
export async function writePayload(directory: string, payload: Payload): Promise<boolean> {
  await mkdir(directory, { recursive: true });
  const link = path.join(directory, "..data");
  const before = await readlink(link).catch(() => undefined);
  if (before !== undefined && (await isSame(path.join(directory, before), payload))) return false;
  const stamp = new Date().toISOString().slice(0, 19).replace(/[-T:]/g, "_");
  const fresh = await mkdtemp(path.join(directory, `..${stamp}.`));
  for (const [file, { data, mode }] of payload) {
    const target = path.join(fresh, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, data, { mode });
  }
  const name = path.basename(fresh);
  await rm(`${link}_tmp`, { force: true });
  await symlink(name, `${link}_tmp`);
  await rename(`${link}_tmp`, link);
  await linkTopLevel(directory, payload);
  if (before !== undefined) await rm(path.join(directory, before), { recursive: true, force: true });
  return true;
}

async function linkTopLevel(directory: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((file) => file.split("/", 1)[0] ?? file));
  const present = (await readdir(directory)).filter((name) => !name.startsWith(".."));
  for (const name of present) if (!wanted.has(name)) await rm(path.join(directory, name), { force: true });
  for (const name of wanted)
    if (!present.includes(name)) await symlink(path.join("..data", name), path.join(directory, name));
}

async function isSame(directory: string, payload: Payload): Promise<boolean> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  if (files.filter((entry) => entry.isFile()).length !== payload.size) return false;
  for (const [file, { data }] of payload) {
    const present = await readFile(path.join(directory, file)).catch(() => undefined);
    if (!present?.equals(data)) return false;
  }
  return true;
}
