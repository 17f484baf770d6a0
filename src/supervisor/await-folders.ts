import type { FolderApplied, FolderLine } from "./state.ts";

export interface FolderMessages {
  /** Resolves once every folder has been applied for the first time. */
  readonly applied: Promise<void>;
  /** Takes a message of the control plane's; what is not about folders is ignored. */
  hear(message: unknown): void;
}

/** Over IPC the control plane sends lines for the console at any time, and once for each folder how its first apply went. */
export function awaitFolders(
  folders: readonly string[],
  { onFolder, onLine }: { onFolder: (applied: FolderApplied) => void; onLine: (line: FolderLine) => void },
): FolderMessages {
  const waiting = new Set(folders);
  let done: () => void = () => {};
  const applied = new Promise<void>((resolve) => {
    done = resolve;
  });
  if (waiting.size === 0) done();
  return {
    applied,
    hear(message) {
      if (typeof message !== "object" || message === null) return;
      if ("line" in message) onLine(message.line as FolderLine);
      if (!("folders" in message)) return;
      for (const report of message.folders as readonly FolderApplied[]) {
        onFolder(report);
        waiting.delete(report.folder);
      }
      if (waiting.size === 0) done();
    },
  };
}
