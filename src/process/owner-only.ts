import { rmSync } from "node:fs";

const OWNER_ONLY = 0o177;

/**
 * Has `bind` bind the Unix socket `path`, 0600; what an earlier process left there is removed first. Binding makes the file: a mode that is set
 * afterwards would leave a moment for others.
 */
export function bindOwnerOnly<T>(path: string, bind: () => T): T {
  rmSync(path, { force: true });
  const umask = process.umask(OWNER_ONLY);
  try {
    return bind();
  } finally {
    process.umask(umask);
  }
}
