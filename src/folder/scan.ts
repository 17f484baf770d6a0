// Finds the manifest files below a folder. Reads nothing outside of it: a symlink that leads out is refused.
// Hidden files and what editors leave behind are not seen.
import type { Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import type { FolderProblem } from "./problem.ts";

export interface FoundFile {
  /** Relative to the folder, with `/`. */
  readonly file: string;
  readonly path: string;
  /** Changes with every save that can be told from outside. */
  readonly signature: string;
  readonly modifiedAt: number;
  readonly size: number;
}

export interface Scan {
  /** Sorted by name. */
  readonly files: readonly FoundFile[];
  readonly refused: readonly FolderProblem[];
  /** Directories (or files) below the folder that could not be looked into. */
  readonly unreadable: readonly FolderProblem[];
}

const MANIFEST = /\.(ya?ml|json)$/i;

export const isManifest = (name: string): boolean => MANIFEST.test(name);

/** True for a name that the folder never looks at. Packages hold thousands of JSON files, none of them meant. */
export const isHidden = (name: string): boolean =>
  name.startsWith(".") || name.startsWith("#") || name === "node_modules";

/** `root` must be a real path. Rejects when the folder itself cannot be read. */
export async function scanFolder(root: string): Promise<Scan> {
  const files = new Map<string, FoundFile>();
  const refused: FolderProblem[] = [];
  const unreadable: FolderProblem[] = [];
  const links: string[] = [];
  const visited = new Set<string>();

  const add = (path: string, real: string, stats: Stats) => {
    // A link to a file that is in the folder anyway adds nothing.
    if (files.has(real)) return;
    const { ino, size, mtimeMs, ctimeMs } = stats;
    files.set(real, {
      file: nameOf(root, path),
      path,
      signature: `${ino}:${size}:${mtimeMs}:${ctimeMs}`,
      modifiedAt: mtimeMs,
      size,
    });
  };
  const walk = async (directory: string): Promise<void> => {
    const real = await realpath(directory);
    if (visited.has(real)) return;
    visited.add(real);
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (isHidden(entry.name)) continue;
      if (entry.isSymbolicLink()) links.push(path);
      else if (entry.isDirectory()) await look(path, () => walk(path));
      else if (entry.isFile() && isManifest(entry.name)) {
        await look(path, async () => add(path, path, await stat(path)));
      }
    }
  };
  const look = async (path: string, at: () => Promise<void>): Promise<void> => {
    try {
      await at();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // Files come and go while the folder is walked, and links dangle: what is not there is not found.
      if (code === "ENOENT" || code === "ELOOP" || code === "ENOTDIR") return;
      unreadable.push({ file: nameOf(root, path), message: `cannot be read: ${message}` });
    }
  };
  await walk(root);
  for (const path of links) {
    await look(path, async () => {
      const real = await realpath(path);
      if (!isInside(root, real)) {
        refused.push({ file: nameOf(root, path), message: `symlink leads out of the folder, to ${real}` });
        return;
      }
      const stats = await stat(real);
      if (stats.isDirectory()) await walk(path);
      else if (stats.isFile() && isManifest(path)) add(path, real, stats);
    });
  }
  const sorted = [...files.values()].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
  return { files: sorted, refused, unreadable };
}

const nameOf = (root: string, path: string): string => relative(root, path).split(sep).join("/");

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
