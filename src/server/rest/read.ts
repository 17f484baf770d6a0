// GET of one object and of a collection, in chunks where the client asks for them.
import { badRequest, notFound, type StatusError, statusError } from "../../api/status-error.ts";
import { ExpiredError } from "../../store/store.ts";
import type { ObjectEntry, ServerContext } from "../context.ts";
import { storeKey, storePrefix } from "../keys.ts";
import { type Format, negotiate } from "../negotiation.ts";
import type { Answer, ApiRequest } from "../request.ts";
import { checkListOptions } from "./list-options.ts";
import { encode, type ListMeta, presentList, presentObject } from "./present.ts";
import { type Selection, selectionOf } from "./selection.ts";
import { integerOf, type Target } from "./target.ts";

export const formatOf = ({ accept, query }: ApiRequest): Format =>
  negotiate(accept, query.get("includeObject"));

/** The stored object. Throws 404. */
export function findObject({ store }: ServerContext, target: Target): ObjectEntry {
  const { kind, namespace, name = "" } = target;
  const entry = store.get(storeKey(kind.resource, namespace, name));
  if (!entry) throw notFound(kind.resource, name);
  return entry;
}

export async function getObject(
  context: ServerContext,
  target: Target,
  request: ApiRequest,
): Promise<Answer> {
  const format = formatOf(request);
  const answer = presentObject(context, target, findObject(context, target), { format });
  return encode(answer, format);
}

export async function listObjects(
  context: ServerContext,
  target: Target,
  request: ApiRequest,
): Promise<Answer> {
  const format = formatOf(request);
  const { entries, meta } = selectPage(context, target, request.query);
  const answer = presentList(context, target, entries, { format, meta });
  return encode(answer, format);
}

interface Page {
  readonly entries: readonly ObjectEntry[];
  readonly meta: ListMeta;
}

/** What a request selects of a collection, or the part of it that it asks for. Throws 400, 410 and 422. */
export function selectPage(context: ServerContext, target: Target, query: URLSearchParams): Page {
  checkListOptions(query);
  const selection = selectionOf(target.served, query);
  const limit = integerOf(query, "limit") ?? 0;
  const start = startOf(context, target, { query, limit });
  const revision = start.at ?? context.store.revision;
  const all = snapshot(context, target, { selection, at: start.at });
  const remaining = start.after === undefined ? all : all.filter(({ key }) => key > start.after!);
  if (limit <= 0) {
    const entries = select(remaining, selection);
    return { entries, meta: { resourceVersion: String(revision) } };
  }
  return firstPage(remaining, selection, { limit, revision });
}

function firstPage(
  entries: readonly ObjectEntry[],
  selection: Selection,
  { limit, revision }: { limit: number; revision: number },
): Page {
  const page: ObjectEntry[] = [];
  const resourceVersion = String(revision);
  for (const [index, entry] of entries.entries()) {
    if (!selection.matches(entry.object)) continue;
    if (page.length === limit) {
      const token = { v: "meta.k8s.io/v1", rv: revision, start: page.at(-1)!.key };
      const continueText = Buffer.from(JSON.stringify(token)).toString("base64url");
      // With a selector nobody knows how many more will match: Kubernetes leaves the count out.
      const count = selection.everything ? { remainingItemCount: entries.length - index } : {};
      return { entries: page, meta: { resourceVersion, continue: continueText, ...count } };
    }
    page.push(entry);
  }
  return { entries: page, meta: { resourceVersion } };
}

function select(entries: readonly ObjectEntry[], selection: Selection): readonly ObjectEntry[] {
  return selection.everything ? entries : entries.filter(({ object }) => selection.matches(object));
}

/** The collection as it is, or as it was at revision `at`. Throws 410 when that is no longer known. */
export function snapshot(
  { store }: ServerContext,
  { kind, namespace }: Pick<Target, "kind" | "namespace">,
  { selection, at }: { selection?: Selection; at?: number | undefined },
): readonly ObjectEntry[] {
  const { resource } = kind;
  if (at === undefined && selection?.name !== undefined && (!resource.namespaced || namespace)) {
    const entry = store.get(storeKey(resource, namespace, selection.name));
    return entry ? [entry] : [];
  }
  try {
    return store.list(storePrefix(resource, namespace), at);
  } catch (error) {
    throw error instanceof ExpiredError ? expired(error.message) : error;
  }
}

export const expired = (message: string): StatusError => statusError("Expired", message);

const EXPIRED_TOKEN =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.";

/**
 * Where a list starts and which revision it shows: from `continue`, or resourceVersion with resourceVersionMatch. Without
 * the latter a list in chunks is exact (etcd3 store's resolveGetListRev), any other as it is now.
 */
function startOf(
  { store }: ServerContext,
  target: Target,
  { query, limit }: { query: URLSearchParams; limit: number },
): { at?: number; after?: string } {
  const token = query.get("continue");
  const version = query.get("resourceVersion") ?? "";
  const match = query.get("resourceVersionMatch") ?? "";
  if (token) {
    if (version !== "" && version !== "0")
      throw badRequest("specifying resource version is not allowed when using continue");
    const { revision, after } = parseToken(token, storePrefix(target.kind.resource, target.namespace));
    if (revision < store.oldestRevision || revision > store.revision) throw expired(EXPIRED_TOKEN);
    return { at: revision, after };
  }
  const wanted = parseVersion(version);
  if (wanted > store.revision) throw tooLarge(wanted, store.revision);
  const isExact = match === "Exact" || (match === "" && limit > 0 && wanted > 0);
  return isExact ? { at: wanted } : {};
}

/** "" and "0" are 0. Throws 422 for what is no number. */
export function parseVersion(text: string): number {
  if (text === "") return 0;
  if (!/^\d{1,15}$/.test(text))
    throw statusError(
      "Invalid",
      `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
}

/** storage.NewTooLargeResourceVersionError: the client knows a state that this server has not reached. */
function tooLarge(wanted: number, current: number): StatusError {
  return statusError("Timeout", `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}

function parseToken(token: string, prefix: string): { revision: number; after: string } {
  const refused = badRequest("continue key is not valid: incorrect encoding");
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    const { rv, start } = parsed as { rv?: unknown; start?: unknown };
    if (typeof rv !== "number" || typeof start !== "string" || !start.startsWith(prefix)) throw refused;
    return { revision: rv, after: start };
  } catch {
    throw refused;
  }
}
