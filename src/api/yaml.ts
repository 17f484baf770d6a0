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
  visit,
} from "yaml";
import { DEEPEST, duplicateFields, type ParsedText } from "./json-text.ts";
import { badRequest, statusError } from "./status-error.ts";

export interface ManifestDocument {
  readonly value: unknown;
  /** The line of the file (from 1) on which the document's content starts. */
  readonly line: number;
  /** The line of a field (`["spec", "ports", 0]`), or of the nearest thing around it that is there. */
  lineOf(path: readonly (string | number)[]): number;
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

/** Unlike Kubernetes (3 MB, as JSON): reading YAML takes so long that nobody else would be answered meanwhile. */
export const MOST_YAML = 64 * 1024;

/**
 * Throws for text that would nest too deeply: read off the brackets and the beginnings of lines, since the parser itself is recursive. Brackets in
 * strings count too, which no honest text has so many of.
 */
function checkDepth(text: string): void {
  let [open, prefix, inPrefix] = [0, 0, true];
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x5b || code === 0x7b) open += 1;
    else if ((code === 0x5d || code === 0x7d) && open > 0) open -= 1;
    if (code === 0x0a) [prefix, inPrefix] = [0, true];
    else if (inPrefix && (code === 0x20 || code === 0x09 || code === 0x2d || code === 0x3f)) prefix += 1;
    else inPrefix = false;
    // A level of a block takes an indicator and a space.
    if (open > DEEPEST || prefix > 2 * DEEPEST)
      throw badRequest(`error converting YAML to JSON: yaml: exceeded max depth of ${DEEPEST}`);
  }
}

/**
 * Parses a request body of one YAML document (or JSON, which is YAML). Throws 400 BadRequest for malformed text and for
 * aliases that multiply. Further documents are ignored, as Kubernetes ignores them.
 */
export function parseYaml(text: string): ParsedText {
  if (text.length > MOST_YAML)
    throw statusError(
      "RequestEntityTooLarge",
      `Request entity too large: limit is ${MOST_YAML} for YAML; JSON may be larger`,
    );
  checkDepth(text);
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
      const lineOf = (path: readonly (string | number)[]) =>
        lines.linePos(offsetOf(document.contents as Node | null, path) ?? document.range[0]).line;
      if (value !== null && value !== undefined) documents.push({ value, line: start.line, lineOf });
    } catch (error) {
      const unknown = unknownAlias(document);
      const { line, col } = unknown === undefined ? start : lines.linePos(unknown);
      return { documents, problem: { message: messageOf(error), line, column: col } };
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
    return { documents: [{ value, line: 1, lineOf: () => 1 }] };
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

/** Where the field's key starts, or an item; where it is not there, what should hold it. */
function offsetOf(node: Node | null, [first, ...rest]: readonly (string | number)[]): number | undefined {
  if (first !== undefined && isMap(node)) {
    const pair = node.items.find(({ key }) => String(key) === String(first));
    const own = (pair?.key as Node | undefined)?.range?.[0];
    if (pair && own !== undefined)
      return rest.length === 0 ? own : (offsetOf(pair.value as Node | null, rest) ?? own);
  }
  if (first !== undefined && isSeq(node) && node.items[Number(first)])
    return offsetOf(node.items[Number(first)] as Node, rest);
  return node?.range?.[0];
}

function problemOf(document: Document.Parsed, lines: LineCounter): ManifestProblem | undefined {
  const [error] = document.errors;
  if (!error) return undefined;
  const { line, col } = lines.linePos(error.pos[0]);
  return { message: error.message.split("\n")[0] ?? error.code, line, column: col };
}

/** Where the first alias stands that no anchor before it has the name of. */
function unknownAlias(document: Document.Parsed): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return undefined;
      offset = alias.range?.[0];
      return visit.BREAK;
    },
  });
  return offset;
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
