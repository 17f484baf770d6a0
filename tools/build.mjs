// Bundles every program of kubemu into dist/. One file a program starts in half the time of many
// modules: the cluster is ten Node processes, so import time is start time.
import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { writeDescriptions } from "./descriptions.mjs";

// Each starts through a launcher of its name (tools/launch.cjs), which keeps V8's compiled form of it.
const launched = {
  kubemu: "src/cli/main.ts",
  supervisor: "src/supervisor/main.ts",
  "control-plane": "src/main.ts",
  "node-agent": "agents/node/main.ts",
  proxy: "agents/proxy/main.ts",
};
// So small that a cache would cost what it saves.
const plain = {
  container: "agents/containers/main.ts",
  tools: "agents/containers/tools/main.ts",
  // Loaded by --require, which is faster than --import, into programs of any kind.
  preload: "agents/containers/preload.ts",
  traffic: "src/drill/traffic/main.ts",
};

await rm("dist", { recursive: true, force: true });
await mkdir("dist");
// V8 reads JSON text twice as fast as the same data written as JavaScript; and the API's table is 400 KB, which a file of its own keeps out of
// what is compiled and cached, and away from programs that do not look at it.
const TABLE = "kubernetes-api.json";
const table = JSON.stringify(JSON.parse(await readFile(`src/api/${TABLE}`, "utf8")));
// In ASCII it is read without being decoded.
const escaped = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
await writeFile(`dist/${TABLE}`, table.replace(/[^\x20-\x7e]/g, escaped));
/** `place`: an expression for where it lies. */
const tableAsFile = (place) => ({
  name: "table-as-file",
  setup({ onLoad }) {
    onLoad({ filter: /kubernetes-api\.json$/ }, () => {
      const contents = `import { readFileSync } from "node:fs"; export default JSON.parse(readFileSync(${place}, "latin1"))`;
      return { contents, loader: "js" };
    });
  },
});
const common = {
  outdir: "dist",
  bundle: true,
  platform: "node",
  target: "node20",
  // Native code cannot be bundled; everything else is.
  external: ["@photostructure/sqlite"],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "linked",
  logLevel: "warning",
};
const script = {
  ...common,
  plugins: [tableAsFile(`__dirname + "/${TABLE}"`)],
  format: "cjs",
  define: { "import.meta.url": "__fileUrl" },
  // A compiled script has no loader of modules.
  supported: { "dynamic-import": false },
  banner: { js: 'const __fileUrl = require("node:url").pathToFileURL(__filename).href;' },
};
const module = {
  ...common,
  plugins: [tableAsFile(`new URL("./${TABLE}", import.meta.url)`)],
  format: "esm",
  outExtension: { ".js": ".mjs" },
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
};
await Promise.all([
  build({ ...script, entryPoints: launched, outExtension: { ".js": ".cjs" } }),
  build({ ...script, entryPoints: plain }),
  build({ ...module, entryPoints: { bench: "bench/main.ts", "bench-floor": "bench/floor-server.ts" } }),
]);
await writeFile("dist/package.json", '{ "type": "commonjs" }\n');
const launcher = await readFile("tools/launch.cjs", "utf8");
for (const name of Object.keys(launched)) {
  // As the one expression that the launcher compiles: put together there, the text would be copied once more.
  const bundle = await readFile(`dist/${name}.cjs`, "utf8");
  const expression = `(function (exports, require, module, __filename, __dirname) {${bundle}\n})`;
  await writeFile(`dist/${name}.cjs`, expression);
  const hash = createHash("sha256").update(expression);
  const text = launcher.replace("@PROGRAM@", name).replace("@BUILD@", hash.digest("hex").slice(0, 16));
  await writeFile(`dist/${name}.js`, name === "kubemu" ? `#!/usr/bin/env node\n${text}` : text);
}
await chmod("dist/kubemu.js", 0o755);
await writeDescriptions("dist");
