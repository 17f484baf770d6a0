// Bundles every program of kubemu into dist/. One file a program starts in half the time of many
// modules: the cluster is ten Node processes, so import time is start time.
import { existsSync } from "node:fs";
import { chmod, readFile, rm } from "node:fs/promises";
import { build } from "esbuild";
import { writeDescriptions } from "./descriptions.mjs";

// Of one file each: they load all they have, and several of them start at once.
const whole = {
  "node-agent": "agents/node/main.ts",
  proxy: "agents/proxy/main.ts",
  container: "agents/containers/main.ts",
};
// Parts that a command, or most starts, never need are files of their own.
const split = {
  kubemu: "src/cli/main.ts",
  supervisor: "src/supervisor/main.ts",
  "control-plane": "src/main.ts",
  bench: "bench/main.ts",
};

await rm("dist", { recursive: true, force: true });
// V8 reads JSON text twice as fast as the same data written as JavaScript, and the API's table is 400 KB.
const jsonAsText = {
  name: "json-as-text",
  setup({ onLoad }) {
    onLoad({ filter: /kubernetes-api\.json$/ }, async ({ path }) => {
      const text = JSON.stringify(JSON.parse(await readFile(path, "utf8")));
      return { contents: `export default JSON.parse(${JSON.stringify(text)})`, loader: "js" };
    });
  },
};
const common = {
  plugins: [jsonAsText],
  outdir: "dist",
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // Native code cannot be bundled; everything else is.
  external: ["@photostructure/sqlite"],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "linked",
  logLevel: "warning",
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
};
await Promise.all([
  build({ ...common, entryPoints: whole }),
  build({ ...common, entryPoints: split, splitting: true, chunkNames: "chunks/[name]-[hash]" }),
]);
if (existsSync("dist/kubemu.js")) await chmod("dist/kubemu.js", 0o755);
await writeDescriptions("dist");
