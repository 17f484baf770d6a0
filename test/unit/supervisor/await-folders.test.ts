import { expect, test } from "vitest";
import { awaitFolders } from "../../../src/supervisor/await-folders.ts";
import type { FolderApplied, FolderLine } from "../../../src/supervisor/state.ts";

const applied = (folder: string): FolderApplied => ({ folder, applied: 2, errors: [] });

function listen(folders: readonly string[]) {
  const reports: FolderApplied[] = [];
  const lines: FolderLine[] = [];
  const messages = awaitFolders(folders, {
    onFolder: (report) => reports.push(report),
    onLine: (line) => lines.push(line),
  });
  let done = false;
  void messages.applied.then(() => {
    done = true;
  });
  const isDone = async () => {
    await new Promise(setImmediate);
    return done;
  };
  return { ...messages, reports, lines, isDone };
}

test("waits for every folder, in whatever order they come", async () => {
  const { hear, isDone, reports } = listen(["/a", "/b"]);
  hear({ folders: [applied("/b")] });
  expect(await isDone()).toBe(false);
  hear({ folders: [applied("/a")] });
  expect(await isDone()).toBe(true);
  expect(reports.map(({ folder }) => folder)).toEqual(["/b", "/a"]);
});

test("waits for nothing where no folder is watched", async () => {
  expect(await listen([]).isDone()).toBe(true);
});

test("passes lines on at any time and ignores what is not about folders", async () => {
  const { hear, isDone, lines, reports } = listen(["/a"]);
  const line: FolderLine = { folder: "/a", level: "warning", text: "web.yaml:1:2: no" };
  for (const message of [null, "ready", 7, { ready: true, apiPort: 1 }, { line }]) hear(message);
  expect(lines).toEqual([line]);
  expect(reports).toEqual([]);
  expect(await isDone()).toBe(false);
});
