// Manifests as a verb's `-f` names them: a file, a folder, or `-` for standard input.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import type { KubeObject } from "../api/object.ts";
import { parseManifests } from "../api/yaml.ts";
import type { ServedResource } from "../client/discovery.ts";
import type { Session } from "./session.ts";

export interface Manifest {
  readonly type: ServedResource;
  /** Absent for what has none. */
  readonly namespace?: string;
  readonly object: KubeObject;
}

const ENDINGS = [".json", ".yaml", ".yml"];

export async function readManifests(
  paths: readonly string[],
  { types, namespace }: Pick<Session, "types" | "namespace">,
): Promise<Manifest[]> {
  const texts = await Promise.all(
    paths.map(async (path) => (path === "-" ? [{ file: "STDIN", text: await readInput() }] : textsOf(path))),
  );
  const objects = texts.flat().flatMap(({ file, text }) => objectsOf(file, text));
  if (objects.length === 0) throw new Error("no objects passed to apply");
  return objects.map((object) => {
    const type = types.byKind(object.apiVersion ?? "", object.kind ?? "");
    const place = type.resource.namespaced ? { namespace: object.metadata.namespace ?? namespace } : {};
    return { type, ...place, object };
  });
}

interface Text {
  readonly file: string;
  readonly text: string;
}

/** The objects of a file or folder, in order of the files' names. */
export const objectsIn = (path: string): KubeObject[] =>
  textsOf(path).flatMap(({ file, text }) => objectsOf(file, text));

function textsOf(path: string): Text[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new Error(`the path ${JSON.stringify(path)} does not exist`);
  if (!found.isDirectory()) return [{ file: path, text: readFileSync(path, "utf8") }];
  return readdirSync(path)
    .filter((name) => ENDINGS.includes(extname(name)))
    .sort()
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => ({ file, text: readFileSync(file, "utf8") }));
}

async function readInput(): Promise<string> {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) text += String(chunk);
  return text;
}

/** The objects of one file, a List's items one by one. Throws with file, line and column. */
export function objectsOf(file: string, text: string): KubeObject[] {
  const { documents, problem } = parseManifests(text, file);
  if (problem) throw new Error(`error parsing ${file}: line ${problem.line}: ${problem.message}`);
  return documents.flatMap(({ value, line }) => flatten(value, `${file}:${line}`));
}

function flatten(value: unknown, where: string): KubeObject[] {
  const object = { ...(typeof value === "object" ? value : {}) } as Partial<KubeObject> & { items?: unknown };
  const missing = (["kind", "apiVersion"] as const).find((field) => typeof object[field] !== "string");
  if (missing) throw new Error(`error validating ${where}: ${missing} not set`);
  const { items } = object;
  // Go writes an empty list as null.
  if (object.kind?.endsWith("List") && (items === null || Array.isArray(items)))
    return (items ?? []).flatMap((item) => flatten(item, where));
  if (!object.metadata?.name)
    throw new Error(`error validating ${where}: ${object.kind}: metadata.name is missing`);
  return [object as KubeObject];
}
