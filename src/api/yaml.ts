// YAML as Kubernetes reads it (sigs.k8s.io/yaml over go-yaml 2): the core schema plus YAML 1.1's booleans, octal numbers
// (`0644`), underscores in numbers and merge keys; times stay strings. Import it lazily where YAML is rare.
import {
  type Document,
  isMap,
  isPair,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseAllDocuments,
  type ScalarTag,
} from "yaml";
import { duplicateFields, type ParsedText } from "./json-text.ts";
import { badRequest } from "./status-error.ts";

export interface ManifestDocument {
  readonly value: unknown;
  /** The line of the file (from 1) on which the document's content starts. */
  readonly line: number;
}

export interface ManifestProblem {
  /** One line, without the position. */
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

export interface Manifests {
  /** What could be read, in order; documents without content are left out. */
  readonly documents: readonly ManifestDocument[];
  /** The first thing that is wrong with the file, if anything is. */
  readonly problem?: ManifestProblem;
}

// A manifest that uses aliases has a handful; a bomb multiplies them.
const MOST_ALIASES = 100;

const TRUE = /^(?:y|Y|yes|Yes|YES|on|On|ON)$/;
const FALSE = /^(?:n|N|no|No|NO|off|Off|OFF)$/;
const withoutUnderscores = (text: string) => text.replaceAll("_", "");
const signed = (text: string, digits: (unsigned: string) => number) =>
  text.startsWith("-") ? -digits(text.slice(1)) : digits(text.replace(/^\+/, ""));

const KUBERNETES_TAGS: readonly ScalarTag[] = [
  { tag: "tag:yaml.org,2002:bool", default: true, test: TRUE, resolve: () => true },
  { tag: "tag:yaml.org,2002:bool", default: true, test: FALSE, resolve: () => false },
  {
    tag: "tag:yaml.org,2002:int",
    default: true,
    test: /^[-+]?0[0-7_]+$/,
    resolve: (text) => signed(withoutUnderscores(text), (digits) => Number.parseInt(digits, 8)),
  },
  {
    tag: "tag:yaml.org,2002:int",
    default: true,
    test: /^[-+]?0b[01_]+$/,
    resolve: (text) => signed(withoutUnderscores(text), (digits) => Number.parseInt(digits.slice(2), 2)),
  },
  {
    tag: "tag:yaml.org,2002:int",
    default: true,
    test: /^[-+]?[1-9][0-9]*(?:_[0-9]+)+$/,
    resolve: (text) => Number(withoutUnderscores(text)),
  },
];

function parseDocuments(text: string, lineCounter: LineCounter) {
  const documents = parseAllDocuments(text, {
    schema: "core",
    merge: true,
    // Repeated keys are reported by the caller, with their path.
    uniqueKeys: false,
    prettyErrors: false,
    customTags: (tags) => [...KUBERNETES_TAGS, ...tags],
    lineCounter,
  });
  return Array.isArray(documents) ? (documents as Document.Parsed<ParsedNode>[]) : [];
}

/**
 * Parses a request body of one YAML document (or JSON, which is YAML). Throws 400 BadRequest for malformed text and for
 * aliases that multiply. Further documents are ignored, as Kubernetes ignores them.
 */
export function parseYaml(text: string): ParsedText {
  const lines = new LineCounter();
  const [document] = parseDocuments(text, lines);
  if (!document) return { value: null, duplicateFields: [] };
  const problem = problemOf(document, lines);
  if (problem)
    throw badRequest(`error converting YAML to JSON: yaml: line ${problem.line}: ${problem.message}`);
  return {
    value: toJson(document),
    duplicateFields: duplicatesIn(document.contents as Node | null, "").map(({ path }) => path),
  };
}

/**
 * Parses a manifest file: many YAML documents, or JSON when the file's name says so. Never throws for what the file
 * holds: `problem` says what is wrong and where, counted from the file's start.
 */
export function parseManifests(text: string, fileName: string): Manifests {
  if (fileName.endsWith(".json")) return parseJsonManifest(text);
  const lines = new LineCounter();
  const documents: ManifestDocument[] = [];
  for (const document of parseDocuments(text, lines)) {
    const start = lines.linePos((document.contents as Node | null)?.range?.[0] ?? document.range[0]);
    const problem = problemOf(document, lines) ?? duplicateProblem(document, lines);
    if (problem) return { documents, problem };
    try {
      const value = toJson(document);
      if (value !== null && value !== undefined) documents.push({ value, line: start.line });
    } catch (error) {
      return { documents, problem: { message: messageOf(error), line: start.line, column: start.col } };
    }
  }
  return { documents };
}

function parseJsonManifest(text: string): Manifests {
  const content = text.replace(/^\uFEFF/, "");
  if (content.trim() === "") return { documents: [] };
  try {
    const value: unknown = JSON.parse(content);
    const [path] = duplicateFields(content);
    if (path) return { documents: [], problem: { message: `duplicate field "${path}"`, line: 1, column: 1 } };
    return { documents: [{ value, line: 1 }] };
  } catch (error) {
    const message = messageOf(error);
    const offset = Number(/at position (\d+)/.exec(message)?.[1] ?? content.length);
    const before = content.slice(0, offset).split("\n");
    return {
      documents: [],
      problem: {
        message: message.replace(/ at position \d+.*$/s, "").replace(/, ".*" is not valid JSON$/s, ""),
        line: before.length,
        column: (before.at(-1)?.length ?? 0) + 1,
      },
    };
  }
}

function problemOf(document: Document.Parsed, lines: LineCounter): ManifestProblem | undefined {
  const [error] = document.errors;
  if (!error) return undefined;
  const { line, col } = lines.linePos(error.pos[0]);
  return { message: error.message.split("\n")[0] ?? error.code, line, column: col };
}

function duplicateProblem(document: Document.Parsed, lines: LineCounter): ManifestProblem | undefined {
  const [duplicate] = duplicatesIn(document.contents as Node | null, "");
  if (!duplicate) return undefined;
  const { line, col } = lines.linePos(duplicate.offset);
  return { message: `duplicate field "${duplicate.path}"`, line, column: col };
}

function toJson(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: yaml: ${messageOf(error)}`);
  }
}

interface DuplicateKey {
  readonly path: string;
  readonly offset: number;
}

/** Keys that stand twice in one mapping. Merged keys (`<<`) may be overridden: those are no duplicates. */
function duplicatesIn(node: unknown, path: string): DuplicateKey[] {
  if (isSeq(node)) return node.items.flatMap((item, index) => duplicatesIn(item, `${path}[${index}]`));
  if (!isMap(node)) return [];
  const found: DuplicateKey[] = [];
  const seen = new Set<string>();
  for (const pair of node.items) {
    if (!isPair(pair)) continue;
    const key = String(pair.key);
    const at = path ? `${path}.${key}` : key;
    if (key !== "<<" && seen.has(key)) found.push({ path: at, offset: (pair.key as Node).range?.[0] ?? 0 });
    seen.add(key);
    found.push(...duplicatesIn(pair.value, at));
  }
  return found;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
