// From a file's text to the objects it declares. Pure. Everything that makes it unclear which objects a file declares
// (malformed text, a document without kind or name) makes the whole file broken: nothing of it is applied or removed.
import { parseManifests } from "../api/yaml.ts";
import type { FolderProblem } from "./problem.ts";

/** One document of a file, or one item of a List in it. */
export interface Declared {
  readonly file: string;
  readonly line: number;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** As written; absent means `default` where the kind has namespaces. */
  readonly namespace?: string;
  readonly name: string;
  readonly object: Readonly<Record<string, unknown>>;
}

export interface ParsedFile {
  readonly declared: readonly Declared[];
  readonly problem?: FolderProblem;
}

interface Place {
  readonly file: string;
  readonly line: number;
}

class Unclear extends Error {}

export function parseFile(file: string, text: string): ParsedFile {
  const { documents, problem } = parseManifests(text, file);
  if (problem) return { declared: [], problem: { file, ...problem } };
  const declared: Declared[] = [];
  for (const { value, line } of documents) {
    try {
      declared.push(...declaredBy(value, { file, line }));
    } catch (error) {
      if (!(error instanceof Unclear)) throw error;
      return { declared: [], problem: { file, line, column: 1, message: error.message } };
    }
  }
  return { declared };
}

function declaredBy(value: unknown, at: Place, of?: { apiVersion: string; kind: string }): Declared[] {
  if (!isMapping(value)) throw new Unclear(`a manifest must be a mapping, not ${nameOfType(value)}`);
  const apiVersion = value["apiVersion"] ?? of?.apiVersion;
  const kind = value["kind"] ?? of?.kind;
  if (typeof kind !== "string" || !kind) throw new Unclear("Object 'Kind' is missing");
  if (typeof apiVersion !== "string" || !apiVersion) throw new Unclear("Object 'apiVersion' is missing");
  const { items } = value;
  // Go writes an empty list as null.
  if (kind.endsWith("List") && (items === null || Array.isArray(items))) {
    // Items of a typed list (`DeploymentList`) need not repeat what they are.
    const item = kind === "List" ? undefined : { apiVersion, kind: kind.slice(0, -"List".length) };
    return (items ?? []).flatMap((one) => declaredBy(one, at, item));
  }
  const metadata = isMapping(value["metadata"]) ? value["metadata"] : {};
  const { name, namespace } = metadata;
  if (name !== undefined && name !== null && typeof name !== "string") {
    throw new Unclear(`${kind}: metadata.name must be a string, not ${nameOfType(name)}: quote it`);
  }
  if (!name) {
    throw new Unclear(
      metadata["generateName"]
        ? `${kind}: metadata.generateName cannot be applied again and again; give it a metadata.name`
        : `${kind}: metadata.name is missing`,
    );
  }
  if (namespace !== undefined && namespace !== null && typeof namespace !== "string") {
    throw new Unclear(`${kind} ${name}: metadata.namespace must be a string`);
  }
  const slash = apiVersion.indexOf("/");
  return [
    {
      ...at,
      group: slash < 0 ? "" : apiVersion.slice(0, slash),
      version: apiVersion.slice(slash + 1),
      kind,
      ...(namespace ? { namespace } : {}),
      name,
      object: { ...value, apiVersion, kind },
    },
  ];
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const nameOfType = (value: unknown): string =>
  Array.isArray(value) ? "a list" : typeof value === "string" ? "a text" : `a ${typeof value}`;
