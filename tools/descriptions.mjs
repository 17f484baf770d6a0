// Writes dist/descriptions.json, the prose of `kubectl explain`: the doc comments of the models in the installed
// @kubernetes/client-node, by the names of our structure table. Text of another project: built, never committed.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";

const PACKAGE = "node_modules/@kubernetes/client-node";
const MODELS = `${PACKAGE}/dist/gen/models`;
const CACHE = "node_modules/.cache/kubemu";

/** Writes `${folder}/descriptions.json`; does nothing where the package is not installed. */
export async function writeDescriptions(folder) {
  let version;
  try {
    version = JSON.parse(await readFile(`${PACKAGE}/package.json`, "utf8")).version;
  } catch {
    return;
  }
  const cached = `${CACHE}/descriptions-${version}.json`;
  let text = await readFile(cached, "utf8").catch(() => undefined);
  if (text === undefined) {
    text = JSON.stringify(await collect());
    await mkdir(CACHE, { recursive: true });
    await writeFile(cached, text);
  }
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}/descriptions.json`, text);
}

async function collect() {
  const table = JSON.parse(await readFile("src/api/kubernetes-api.json", "utf8"));
  const models = new Set((await readdir(MODELS)).filter((name) => name.endsWith(".d.ts")));
  const result = {};
  for (const type of Object.keys(table.types)) {
    const model = modelNames(type).find((name) => models.has(`${name}.d.ts`));
    if (!model) continue;
    const texts = descriptionsIn(await readFile(`${MODELS}/${model}.d.ts`, "utf8"));
    if (Object.keys(texts).length > 0) result[type] = texts;
  }
  return result;
}

const title = (word) => word.slice(0, 1).toUpperCase() + word.slice(1);

/** `io.k8s.api.core.v1.EndpointPort` → CoreV1EndpointPort, V1EndpointPort. */
function modelNames(type) {
  const [kind, version, group] = type.split(".").reverse();
  return [`${title(group)}${title(version)}${kind}`, `${title(version)}${kind}`];
}

function descriptionsIn(source) {
  const texts = {};
  const found = source.matchAll(
    /\/\*\*\s*\n((?:\s*\*(?!\/).*\n)+)\s*\*\/\s*(export declare class|'([^']+)'\??:)/g,
  );
  for (const [, comment, what, field] of found) {
    const text = comment
      .split("\n")
      .map((line) => line.replace(/^\s*\* ?/, ""))
      .join("\n")
      .replaceAll('\\"', '"')
      .trim();
    if (text) texts[what.startsWith("export") ? "" : field] = text;
  }
  return texts;
}
