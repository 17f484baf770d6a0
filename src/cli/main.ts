// The program `kubemu`.
import { homedir } from "node:os";
import manifest from "../../package.json" with { type: "json" };
import { runCommandLine } from "./command-line.ts";
import { commands } from "./declarations.ts";

// Whoever reads may have read enough (`kubemu pods | head -1`), or the terminal is gone: no reason to leave work half done.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

void runCommandLine(process.argv.slice(2), {
  commands,
  version: manifest.version,
  env: process.env,
  home: homedir,
  out: (text) => void process.stdout.write(text),
  complain: (line) => void process.stderr.write(`${line}\n`),
}).then((code) => {
  process.exitCode = code;
});
