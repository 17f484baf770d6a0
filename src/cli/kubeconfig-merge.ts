// Putting the cluster's context into the user's own kubeconfig and taking it out again, as kind does. Everything else in the file, remarks
// included, stays as it was; a file that cannot be understood is left alone, with a warning.
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { type Document, isMap, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import { contextName } from "../supervisor/kubeconfig.ts";

type Say = (line: string) => void;
const LISTS = ["clusters", "contexts", "users"] as const;
const EMPTY = "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n";
// Where the context that was current before is remembered until `down`.
const PREVIOUS = "kubemu.dev/previous-context";
// A lock older than this was left by a process that died.
const STALE_LOCK_MS = 10_000;

/** The files that kubectl reads: those of $KUBECONFIG, else ~/.kube/config. */
function userKubeconfigs(): string[] {
  const [first, ...more] = (process.env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  if (first !== undefined) return [first, ...more];
  try {
    return [join(homedir(), ".kube", "config")];
  } catch {
    // A user without a home: then kubectl has no file either, and `--no-merge` is as good as given.
    return [];
  }
}

/** The one that kubectl and kind would add a context to: the first that exists, else the last. */
function fileToWrite(): string | undefined {
  const files = userKubeconfigs();
  return files.find((path) => existsSync(path)) ?? files.at(-1);
}

/** Adds the cluster's entries from its own kubeconfig and makes its context current. */
export function mergeKubeconfig(cluster: string, ownFile: string, warn: Say): void {
  const name = contextName(cluster);
  const path = fileToWrite();
  if (path === undefined) {
    warn("warning: there is no home folder for a kubeconfig; set KUBECONFIG");
    return;
  }
  edit(path, warn, (document) => {
    const known = recall(document, name);
    const own = parseDocument(readFileSync(ownFile, "utf8"));
    for (const list of LISTS) {
      removeNamed(document, list, name);
      const entry = (own.get(list) as YAMLSeq).items[0];
      const into = document.get(list);
      if (isSeq(into)) {
        into.flow = false;
        into.add(entry);
      } else document.set(list, [entry]);
    }
    const current = document.get("current-context");
    const previous = current === name ? known : current;
    if (typeof previous === "string" && previous !== "") remember(document, name, previous);
    document.set("current-context", name);
    return true;
  });
}

/**
 * Takes the cluster's entries out again; the context that was current before is current again, where it still exists. Entries of another
 * cluster of that name stay: `ownFile` is this one's own kubeconfig, where there still is one.
 */
export function unmergeKubeconfig(cluster: string, warn: Say, ownFile?: string): void {
  const name = contextName(cluster);
  const own = ownFile && authorityIn(parseDocument(readText(ownFile)), name);
  for (const path of userKubeconfigs())
    if (existsSync(path)) edit(path, warn, (each) => takeOut(each, name, own));
}

function takeOut(document: Document, name: string, own: string | undefined): boolean {
  if (own !== undefined && (authorityIn(document, name) ?? own) !== own) return false;
  const previous = recall(document, name);
  const removed = LISTS.map((list) => removeNamed(document, list, name));
  if (!removed.includes(true)) return false;
  if (document.get("current-context") === name) {
    document.set("current-context", entryOf(document, "contexts", previous) ? previous : "");
  }
  return true;
}

function edit(given: string, warn: Say, change: (document: Document) => boolean): void {
  try {
    // A link to a file kept elsewhere stays a link.
    const path = existsSync(given) ? realpathSync(given) : given;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const unlock = lock(path);
    try {
      const text = existsSync(path) ? readFileSync(path, "utf8") : "";
      const document = parseDocument(text.trim() === "" ? EMPTY : text);
      if (document.errors.length > 0 || !isMap(document.contents))
        throw new Error(document.errors[0]?.message.split("\n")[0] ?? "it is no kubeconfig");
      if (!change(document)) return;
      const temporary = `${path}.kubemu-${process.pid}`;
      writeFileSync(temporary, document.toString({ lineWidth: 0 }), {
        mode: existsSync(path) ? statSync(path).mode & 0o777 : 0o600,
      });
      renameSync(temporary, path);
    } finally {
      unlock();
    }
  } catch (error) {
    warn(`warning: ${given} was left as it is: ${error instanceof Error ? error.message : error}`);
  }
}

// The same lock file that client-go takes.
function lock(path: string): () => void {
  const file = `${path}.lock`;
  for (let tries = 0; ; tries++) {
    try {
      writeFileSync(file, "", { flag: "wx", mode: 0o600 });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      if (tries > 200) throw new Error(`${file} is held by another program`, { cause: error });
      const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > STALE_LOCK_MS) rmSync(file, { force: true });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

function removeNamed(document: Document, list: string, name: string): boolean {
  const entries = document.get(list);
  if (!isSeq(entries)) return false;
  const before = entries.items.length;
  entries.items = entries.items.filter((item) => !(isMap(item) && item.get("name") === name));
  return entries.items.length < before;
}

function entryOf(document: Document, list: (typeof LISTS)[number], name: string): YAMLMap | undefined {
  const entries = document.get(list);
  if (!isSeq(entries)) return undefined;
  return entries.items.find((item): item is YAMLMap => isMap(item) && item.get("name") === name);
}

/** Of the cluster of that name; each data directory has its own certificate authority. */
function authorityIn(document: Document, name: string): string | undefined {
  const authority = entryOf(document, "clusters", name)?.getIn(["cluster", "certificate-authority-data"]);
  return typeof authority === "string" ? authority : undefined;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

// kubeconfig has a place for what others keep with a context: its extensions.
function remember(document: Document, name: string, previous: string): void {
  entryOf(document, "contexts", name)?.setIn(
    ["context", "extensions"],
    document.createNode([{ name: PREVIOUS, extension: { context: previous } }]),
  );
}

function recall(document: Document, name: string): string {
  const extensions = entryOf(document, "contexts", name)?.getIn(["context", "extensions"]);
  if (!isSeq(extensions)) return "";
  const own = extensions.items.find((item): item is YAMLMap => isMap(item) && item.get("name") === PREVIOUS);
  const previous = own?.getIn(["extension", "context"]);
  return typeof previous === "string" ? previous : "";
}
