// JSON Patch (RFC 6902) as kube-apiserver applies it (evanphx/json-patch): all operations or none; one that does not
// apply is 422 Invalid, and the cause says which and why.
import { type Parts, whole } from "../../base/parts.ts";
import { copyJson, equalJson, isObject, type JsonObject, setOwn } from "../own.ts";
import { badRequest, type StatusError, statusError } from "../status-error.ts";

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

// kube-apiserver's maxJSONPatchOperations.
const MOST_OPERATIONS = 10_000;
// A few copies of copies would fill any memory: together they may add as much as a body may hold, as in kube-apiserver.
const MOST_COPIED = 3 * 1024 * 1024;
// Unlike Kubernetes: thousands of insertions at the head of a list of thousands would keep everybody waiting.
const MOST_MOVED = 50_000_000;

// Operations, and moved items, after which the work may be left for a moment: some milliseconds of either.
const PART_OPERATIONS = 500;
const PART_MOVED = 5_000_000;

/**
 * Applies the operations to a copy of `document`. Throws 400 when `operations` is no JSON Patch, 413 when there are too many,
 * 422 when one does not apply (`test` included).
 */
export const applyJsonPatch = (document: unknown, operations: unknown): unknown =>
  whole(jsonPatchInParts(document, operations));

/** The same, in parts. */
export function* jsonPatchInParts(document: unknown, operations: unknown): Parts<unknown> {
  if (!Array.isArray(operations)) {
    throw badRequest(
      "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch",
    );
  }
  if (operations.length > MOST_OPERATIONS) {
    throw statusError(
      "RequestEntityTooLarge",
      `The allowed maximum operations in a JSON patch is ${MOST_OPERATIONS}, got ${operations.length}`,
    );
  }
  const root: Root = { document: copyJson(document), copied: 0, moved: 0 };
  let moved = 0;
  for (const [index, operation] of operations.entries()) {
    apply(root, parseOperation(operation));
    if ((index + 1) % PART_OPERATIONS > 0 && root.moved < moved + PART_MOVED) continue;
    moved = root.moved;
    yield;
  }
  return root.document;
}

interface Root {
  document: unknown;
  /** Characters that copies have added. */
  copied: number;
  /** Items of lists that made room or moved up. */
  moved: number;
}

function countCopy(root: Root, value: unknown): void {
  root.copied += JSON.stringify(value).length;
  if (root.copied > MOST_COPIED)
    throw rejected(
      `Unable to complete the copy, the accumulated size increase of copy is ${root.copied}, exceeding the limit ${MOST_COPIED}`,
    );
}

/** An item goes in or out at `index`: all behind it move. */
function countMoves(root: Root, list: readonly unknown[], index: number): void {
  root.moved += list.length - index;
  if (root.moved > MOST_MOVED)
    throw statusError(
      "RequestEntityTooLarge",
      `The allowed maximum of list items that a JSON patch moves is ${MOST_MOVED}`,
    );
}

function parseOperation(operation: unknown): Operation {
  if (!isObject(operation)) throw badRequest("error decoding patch: operation is not an object");
  const { op, path, from } = operation;
  if (typeof op !== "string") throw rejected("Unexpected kind: unknown");
  if (typeof path !== "string") throw rejected(`${op} operation missing path field: missing value`);
  if ((op === "move" || op === "copy") && typeof from !== "string") {
    throw rejected(`${op} operation missing from field: missing value`);
  }
  return operation as unknown as Operation;
}

/** Unlike Kubernetes: the answer says why, as a cause, which kubectl shows. */
function rejected(why: string): StatusError {
  return statusError("Invalid", "the server rejected our request due to an error in our request", {
    causes: [{ reason: "UnexpectedServerResponse", message: why }],
  });
}

function apply(root: Root, { op, path, from = "", value }: Operation): void {
  switch (op) {
    case "add":
      add(root, op, path, copyJson(value ?? null));
      return;
    case "remove":
      remove(root, op, path);
      return;
    case "replace":
      if (get(root, path) === undefined) throw missing(op, path);
      if (path !== "") {
        const { parent, key } = parentOf(root, op, path);
        if (Array.isArray(parent)) parent[indexIn(parent, key, op, path)] = copyJson(value ?? null);
        else setOwn(parent, key, copyJson(value ?? null));
      } else root.document = copyJson(value ?? null);
      return;
    case "move": {
      const moved = get(root, from);
      if (moved === undefined) throw missing(op, from);
      if (path === from) return;
      if (path.startsWith(`${from}/`))
        throw rejected(`move operation does not apply: ${path} is inside ${from}`);
      remove(root, op, from);
      add(root, op, path, moved);
      return;
    }
    case "copy": {
      const copied = get(root, from);
      if (copied === undefined) throw missing(op, from);
      countCopy(root, copied);
      add(root, op, path, copyJson(copied));
      return;
    }
    case "test":
      if (!equalJson(get(root, path) ?? null, value ?? null)) {
        throw rejected(`testing value ${path} failed: test failed`);
      }
      return;
    default:
      throw rejected(`Unexpected kind: ${op}`);
  }
}

const missing = (op: string, path: string) =>
  rejected(`${op} operation does not apply: doc is missing path: "${path}": missing value`);

function tokensOf(path: string): string[] {
  if (path === "") return [];
  if (!path.startsWith("/")) throw rejected(`path "${path}" does not start with "/"`);
  return path
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** As kube-apiserver has it beside RFC 6902: below zero it counts from the end. Undefined for what is no number, or lies before the beginning. */
function positionIn(token: string, size: number): number | undefined {
  if (!/^-?(0|[1-9]\d*)$/.test(token)) return undefined;
  const index = Number(token);
  const position = index < 0 ? size + index : index;
  return position < 0 ? undefined : position;
}

function step(at: unknown, token: string): unknown {
  if (Array.isArray(at)) return at[positionIn(token, at.length) ?? at.length];
  return isObject(at) && Object.hasOwn(at, token) ? at[token] : undefined;
}

function get(root: Root, path: string): unknown {
  let at = root.document;
  for (const token of tokensOf(path)) at = step(at, token);
  return at;
}

function parentOf(root: Root, op: string, path: string): { parent: JsonObject | unknown[]; key: string } {
  const tokens = tokensOf(path);
  const key = tokens.pop() ?? "";
  let parent = root.document;
  for (const token of tokens) parent = step(parent, token);
  if (!Array.isArray(parent) && !isObject(parent)) throw missing(op, path);
  return { parent, key };
}

function indexIn(list: readonly unknown[], key: string, op: string, path: string): number {
  const index = positionIn(key, list.length);
  if (index === undefined || index >= list.length) throw missing(op, path);
  return index;
}

function add(root: Root, op: string, path: string, value: unknown): void {
  if (path === "") {
    root.document = value;
    return;
  }
  const { parent, key } = parentOf(root, op, path);
  if (!Array.isArray(parent)) setOwn(parent, key, value);
  else if (key === "-") parent.push(value);
  else {
    // -1 is the place after the last.
    const index = positionIn(key, parent.length + 1);
    if (index === undefined || index > parent.length) {
      throw rejected(
        `${op} operation does not apply: doc is missing index: ${key}: invalid index referenced`,
      );
    }
    countMoves(root, parent, index);
    parent.splice(index, 0, value);
  }
}

function remove(root: Root, op: string, path: string): void {
  if (path === "") throw rejected(`${op} operation does not apply: the document itself cannot be removed`);
  const { parent, key } = parentOf(root, op, path);
  if (Array.isArray(parent)) {
    const index = indexIn(parent, key, op, path);
    countMoves(root, parent, index);
    parent.splice(index, 1);
  } else {
    if (!Object.hasOwn(parent, key)) throw missing(op, path);
    delete parent[key];
  }
}
