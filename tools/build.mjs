// Bundles every program of kubemu into dist/. One file a program starts in half the time of many
// modules: the cluster is ten Node processes, so import time is start time.
import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { writeDescriptions } from "./descriptions.mjs";

// Each starts through a launcher (tools/launch.cjs), which keeps V8's compiled form of it.
const launched = {
  kubemu: "src/cli/main.ts",
  supervisor: "src/supervisor/main.ts",
  "control-plane": "src/main.ts",
  "node-agent": "agents/node/main.ts",
  proxy: "agents/proxy/main.ts",
};
// The one command that a start waits for, as a program of its own: a third of the whole command line. Its launcher takes it by the first argument.
const ONE_COMMAND = "up";
// So small that a cache would cost what it saves.
const plain = {
  container: "agents/containers/main.ts",
  tools: "agents/containers/tools/main.ts",
  // Loaded by --require, which is faster than --import, into programs of any kind.
  preload: "agents/containers/preload.ts",
  traffic: "src/drill/traffic/main.ts",
};

/** Makes a bundle the one expression that the launcher compiles: put together there, the text would be copied once more. Resolves with its hash. */
async function asExpression(file) {
  const bundle = await readFile(file, "utf8");
  const expression = `(function (exports, require, module, __filename, __dirname) {${bundle}\n})`;
  await writeFile(file, expression);
  return createHash("sha256").update(expression).digest("hex").slice(0, 16);
}

/** Leaves out what the command line loads for its other commands. */
const onlyCommand = (command) => ({
  name: "only-command",
  setup({ onResolve, onLoad }) {
    const isOther = ({ kind, importer }) =>
      kind === "dynamic-import" && /\/src\/cli\/[a-z-]+\.ts$/.test(importer);
    onResolve({ filter: /^\.\/commands\// }, (found) =>
      isOther(found) && found.path !== `./commands/${command}.ts`
        ? { path: found.path, namespace: "left-out" }
        : undefined,
    );
    onLoad({ filter: /./, namespace: "left-out" }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not part of this program`)})`,
    }));
  },
});

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
  build({
    ...script,
    entryPoints: { [ONE_COMMAND]: launched.kubemu },
    outExtension: { ".js": ".cjs" },
    plugins: [...script.plugins, onlyCommand(ONE_COMMAND)],
  }),
  build({ ...script, entryPoints: plain }),
  build({ ...module, entryPoints: { bench: "bench/main.ts", "bench-floor": "bench/floor-server.ts" } }),
]);
await writeFile("dist/package.json", '{ "type": "commonjs" }\n');
const launcher = await readFile("tools/launch.cjs", "utf8");
for (const name of Object.keys(launched)) {
  const builds = {};
  for (const program of name === "kubemu" ? [name, ONE_COMMAND] : [name])
    builds[program] = await asExpression(`dist/${program}.cjs`);
  const text = launcher.replace('"@BUILDS@"', JSON.stringify(JSON.stringify(builds)));
  await writeFile(`dist/${name}.js`, name === "kubemu" ? `#!/usr/bin/env node\n${text}` : text);
}
await chmod("dist/kubemu.js", 0o755);
await writeDescriptions("dist");
