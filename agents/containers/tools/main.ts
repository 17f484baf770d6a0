// dist/tools.js NAME ARGS…: the small programs that stand first on the PATH of containers, because the machine's own would
// not know the cluster's names, or are not there.
import { readConfig } from "../dns/config.ts";
import { curl } from "./curl.ts";
import { tar, test } from "./files.ts";
import { hostname } from "./hostname.ts";
import { nc } from "./nc.ts";
import { nslookup } from "./nslookup.ts";
import type { ToolProgram } from "./tool.ts";
import { wget } from "./wget.ts";

const TOOLS: Readonly<Record<string, ToolProgram>> = { curl, hostname, nc, nslookup, tar, test, wget };

async function main([name = "", ...args]: readonly string[]): Promise<number> {
  const tool = TOOLS[name];
  if (!tool) {
    process.stderr.write(`${name}: not one of ${Object.keys(TOOLS).join(", ")}\n`);
    return 127;
  }
  return await tool({
    args,
    env: process.env,
    config: readConfig(process.env),
    print: (text) => void process.stdout.write(text),
    printError: (text) => void process.stderr.write(text),
  });
}

// A reader that has seen enough (`wget -qO- … | head -1`) is no fault.
process.stdout.on("error", () => process.exit(0));
void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
  // Nothing that is still open (an idle standard input, a connection) holds the program up once its output is written.
  process.stdout.write("", () => process.exit());
});
