"use strict";
// Starts PROGRAM.cjs beside this file from V8's compiled form of it, which the first run on a machine leaves in the user's cache folder: a cluster is
// ten processes, and compiling is a fifth of what their start costs. Whatever is wrong with the cache, the program starts without it.
const {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = require("node:fs");
const { join } = require("node:path");
const { Script } = require("node:vm");

// The programs that this one starts, each with the hash of its text: the first, unless the first argument names another (`kubemu up`).
const BUILDS = JSON.parse("@BUILDS@");
const [FIRST] = Object.keys(BUILDS);
const PROGRAM = Object.hasOwn(BUILDS, process.argv[2]) ? process.argv[2] : FIRST;
const BUILD = BUILDS[PROGRAM];
// By then a program that was started has run what a start runs, and is idle.
const SETTLED_MS = 3_000;
// What another build or another Node has left, and nobody has read for so long.
const FORGOTTEN_MS = 30 * 24 * 3600 * 1000;

const file = join(__dirname, `${PROGRAM}.cjs`);
const folder = cacheFolder();
const cache = folder && join(folder, `${PROGRAM}-${BUILD}-${process.version}-${process.arch}`);
const cachedData = cache && readOwn(cache);
// The text is one function of what a module is given (tools/build.mjs).
const script = new Script(readFileSync(file, "latin1"), { filename: file, cachedData });
if (cache && (!cachedData || script.cachedDataRejected)) {
  setTimeout(save, SETTLED_MS).unref();
  process.once("exit", save);
}
script.runInThisContext()(exports, require, module, file, __dirname);

function cacheFolder() {
  const { KUBEMU_CACHE, XDG_CACHE_HOME, HOME } = process.env;
  if (KUBEMU_CACHE !== undefined) return KUBEMU_CACHE || undefined;
  const base = XDG_CACHE_HOME || (HOME && join(HOME, ".cache"));
  return base && join(base, "kubemu");
}

/** What this user wrote earlier: compiled code is code, and another user's is not run. */
function readOwn(path) {
  try {
    const { uid, mode } = statSync(path);
    return uid === process.getuid() && (mode & 0o022) === 0 ? readFileSync(path) : undefined;
  } catch {
    return undefined;
  }
}

function save() {
  process.removeListener("exit", save);
  const draft = `${cache}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(draft, script.createCachedData(), { mode: 0o600 });
    renameSync(draft, cache);
    removeForgotten();
  } catch {
    // No room or no right: the next start compiles again.
    rmSync(draft, { force: true });
  }
}

/** Of this program only: in a folder that is given (KUBEMU_CACHE) anything else may lie. */
function removeForgotten() {
  const before = Date.now() - FORGOTTEN_MS;
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(`${PROGRAM}-`) || !/-[0-9a-f]{16}-v[^-]+-[^-]+$/.test(name)) continue;
    const path = join(folder, name);
    const { atimeMs, mtimeMs } = statSync(path);
    if (Math.max(atimeMs, mtimeMs) < before) rmSync(path, { force: true });
  }
}
