// The request handler: finds out what a request is about and gives it to the part that answers. Every error becomes a
// Status; what is not a StatusError is our own fault: logged, 500, and the server lives on.
import type { AnyKind } from "../api/kind.ts";
import { groupResourceOf } from "../api/resource.ts";
import { kubernetesType } from "../api/schema.ts";
import { storedKindOf } from "../api/served-form.ts";
import { badRequest, StatusError, statusError } from "../api/status-error.ts";
import { isAllowed } from "./authentication.ts";
import { componentStatuses, componentStatusKind } from "./component-statuses.ts";
import type { ServerContext } from "./context.ts";
import { isDefinitions, listDefinitions } from "./custom-resource-definitions.ts";
import { subresourcesOf, verbsOf } from "./discovery/resources.ts";
import { type Documents, unknownPath } from "./discovery/serve.ts";
import type { Metrics } from "./metrics/measure.ts";
import { findMetrics, serveMetrics } from "./metrics/serve.ts";
import { takesOnlyProtobuf } from "./negotiation.ts";
import { parseResourcePath, type ResourcePath } from "./path.ts";
import { type Answer, type ApiRequest, documentOf, errorAnswer, withWarnings } from "./request.ts";
import { bindPod } from "./rest/bind.ts";
import { createObject, type WriteResult } from "./rest/create.ts";
import { deleteCollection } from "./rest/delete-collection.ts";
import { evictPod } from "./rest/evict.ts";
import { patchObject } from "./rest/patch.ts";
import { encode, notInProtobuf, presentObject } from "./rest/present.ts";
import { formatOf, getObject, listObjects } from "./rest/read.ts";
import { deleteObject } from "./rest/remove.ts";
import { serveScale } from "./rest/scale.ts";
import { booleanOf, type Target } from "./rest/target.ts";
import { requestToken } from "./rest/token-request.ts";
import { type NamedTarget, replaceObject } from "./rest/update.ts";
import type { Watches } from "./rest/watch.ts";
import { answerReview, findReview } from "./reviews.ts";

export type Handle = (request: ApiRequest) => Promise<Answer>;

interface Parts {
  readonly context: ServerContext;
  readonly watches: Watches;
  readonly documents: Documents;
  readonly metrics: Metrics;
}

export function createHandler(parts: Parts): Handle {
  return async (request) => {
    try {
      return await route(parts, request);
    } catch (error) {
      if (error instanceof StatusError) return errorAnswer(error);
      if (error instanceof URIError) return errorAnswer(badRequest(`invalid URL escape in ${request.path}`));
      const { method, path } = request;
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      parts.context.log.error({ method, path, error: message }, "request failed");
      return errorAnswer(statusError("InternalError", `Internal error occurred: ${firstLine(error)}`));
    }
  };
}

const firstLine = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";

function route(parts: Parts, request: ApiRequest): Promise<Answer> | Answer {
  const path = parseResourcePath(request.path);
  if (!path) {
    authorize(request, { verb: request.method.toLowerCase(), path: request.path });
    if (request.method !== "GET" && request.method !== "HEAD") throw methodNotAllowed();
    return parts.documents.serve(request);
  }
  const { registry } = parts.context;
  const kind = registry.find(path.group, path.version, path.plural);
  if (kind) return resourceRequest(parts, request, { path, kind });
  const review = findReview(path.group, path.version, path.plural);
  if (review && !path.name) {
    if (request.method !== "POST") throw methodNotAllowed();
    return answerReview(parts.context, review, request);
  }
  const measured = findMetrics(path.group, path.version, path.plural);
  if (measured) return metricsRequest(parts, request, { path, kind: measured });
  if (path.group === "" && path.plural === "componentstatuses") {
    authorize(request, { verb: verbOf(request, path), group: "", resource: path.plural, name: path.name });
    return withDeprecation(componentStatuses(parts.context, path, request), componentStatusKind);
  }
  if (path.group === "" && path.plural === "bindings" && request.method === "POST")
    return legacyBinding(parts.context, request, path);
  if (isDefinitions(path) && verbOf(request, path) === "list") {
    authorize(request, { verb: "list", group: path.group, resource: path.plural });
    return listDefinitions(parts.context);
  }
  throw unknownPath();
}

const methodNotAllowed = () =>
  statusError("MethodNotAllowed", "the server does not allow this method on the requested resource", {});

function authorize(request: ApiRequest, attributes: Parameters<typeof isAllowed>[1]): void {
  if (isAllowed(request.user, attributes)) return;
  const { verb, resource = "", group = "", namespace = "", name = "", path } = attributes;
  const what = path ? `path "${path}"` : `resource "${resource}" in API group "${group}"`;
  const where = namespace ? ` in the namespace "${namespace}"` : " at the cluster scope";
  throw statusError(
    "Forbidden",
    `${path ? "forbidden" : `${resource} "${name}" is forbidden`}: User "${request.user.name}" cannot ${verb} ${what}${path ? "" : where}`,
  );
}

/** POST …/bindings, the form that old schedulers use: the pod's name is in the body. */
async function legacyBinding(
  context: ServerContext,
  request: ApiRequest,
  { namespace }: ResourcePath,
): Promise<Answer> {
  const kind = context.registry.find("", "v1", "pods");
  if (!kind) throw unknownPath();
  const body = await request.readBody();
  const value: unknown = "value" in body ? body.value : JSON.parse(body.bytes.toString("utf8"));
  const { metadata } = (value ?? {}) as { metadata?: { name?: unknown } };
  if (typeof metadata?.name !== "string") throw badRequest("metadata.name: Required value");
  const target = { kind, served: kind, namespace, name: metadata.name, subresource: "binding" };
  return bindPod(context, target, { ...request, readBody: async () => body });
}

interface Found {
  readonly path: ResourcePath;
  readonly kind: AnyKind;
}

function resourceRequest(parts: Parts, request: ApiRequest, { path, kind }: Found): Promise<Answer> | Answer {
  const verb = verbOf(request, path);
  const { name, namespace, subresource = "" } = path;
  const { group, plural } = kind.resource;
  if (kind.resource.namespaced === false && namespace !== undefined) throw unknownPath();
  authorize(request, { verb, group, resource: plural, subresource, namespace, name });
  if (
    path.rest !== "" ||
    (subresource !== "" && !subresourcesOf(kind).some((one) => one.name === subresource))
  )
    throw unknownPath();
  // Before anything is written: a client that takes no answer is refused.
  if (takesOnlyProtobuf(request.accept) && !kubernetesType(kind.schema)) throw notInProtobuf();
  if (request.method !== "GET" && request.method !== "HEAD") formatOf(request);
  return withDeprecation(answerFor(parts, request, { path, kind, verb }), kind);
}

function withDeprecation(
  answer: Promise<Answer> | Answer,
  { deprecation }: Pick<AnyKind, "deprecation">,
): Promise<Answer> | Answer {
  if (deprecation === undefined) return answer;
  return Promise.resolve(answer).then((found) => withWarnings(found, [deprecation]));
}

function answerFor(
  parts: Parts,
  request: ApiRequest,
  { path, kind, verb }: Found & { verb: string },
): Promise<Answer> | Answer {
  const { name, namespace, subresource = "" } = path;
  const target: Target = { kind: storedKindOf(kind), served: kind, namespace, name, subresource };
  if (kind.resource.namespaced && namespace === undefined) {
    // Across namespaces a collection can be read, and nothing else.
    if (name !== undefined) throw unknownPath();
    if (verb !== "list" && verb !== "watch") throw methodNotAllowed();
  }
  if (name === undefined) return collectionRequest(parts, request, { target, verb });
  const named: NamedTarget = { ...target, name };
  return subresource === ""
    ? objectRequest(parts, request, { target: named, verb })
    : partRequest(parts.context, request, { target: named, verb });
}

function metricsRequest(
  { context, metrics }: Parts,
  request: ApiRequest,
  { path, kind }: Found,
): Promise<Answer> {
  const verb = verbOf(request, path);
  const { name, namespace } = path;
  const { group, plural: resource } = kind.resource;
  authorize(request, { verb, group, resource, namespace, name });
  if (path.subresource !== undefined || (!kind.resource.namespaced && namespace !== undefined))
    throw unknownPath();
  if (!kind.verbs?.includes(verb)) throw methodNotAllowed();
  return serveMetrics(context, metrics, { request, kind, namespace, name });
}

/** The verb as RBAC knows it. */
function verbOf({ method, query }: ApiRequest, { name, watch }: ResourcePath): string {
  switch (method) {
    case "GET":
    case "HEAD":
      if (watch || (name === undefined && booleanOf(query, "watch"))) return "watch";
      return name === undefined ? "list" : "get";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return name === undefined ? "deletecollection" : "delete";
    default:
      throw methodNotAllowed();
  }
}

interface Order<T> {
  readonly target: T;
  readonly verb: string;
}

function collectionRequest(
  { context, watches }: Parts,
  request: ApiRequest,
  { target, verb }: Order<Target>,
): Promise<Answer> | Answer {
  if (!verbsOf(target.served).includes(verb)) throw methodNotAllowed();
  switch (verb) {
    case "list":
      return listObjects(context, target, request);
    case "watch":
      return watches.open(target, request);
    case "create":
      return written(context, request, target, createObject(context, target, request));
    case "deletecollection":
      return deleteCollection(context, target, request);
    default:
      throw methodNotAllowed();
  }
}

function objectRequest(
  { context, watches }: Parts,
  request: ApiRequest,
  { target, verb }: Order<NamedTarget>,
): Promise<Answer> | Answer {
  if (!verbsOf(target.served).includes(verb)) throw methodNotAllowed();
  switch (verb) {
    case "get":
      return getObject(context, target, request);
    case "watch": {
      const query = new URLSearchParams(request.query);
      query.set("fieldSelector", `metadata.name=${target.name}`);
      return watches.open(target, { ...request, query });
    }
    case "update":
      return written(context, request, target, replaceObject(context, target, request));
    case "patch":
      return written(context, request, target, patchObject(context, target, request));
    case "delete":
      return deleteObject(context, target, request);
    default:
      throw methodNotAllowed();
  }
}

/** Parts that are read and written as the whole object; the kind says what of it is taken over. */
const WRITTEN_PARTS: ReadonlySet<string> = new Set(["status", "finalize", "ephemeralcontainers", "resize"]);

function partRequest(
  context: ServerContext,
  request: ApiRequest,
  { target, verb }: Order<NamedTarget>,
): Promise<Answer> {
  const { kind, subresource } = target;
  const served = subresourcesOf(kind).find(({ name }) => name === subresource);
  if (!served?.verbs.includes(verb)) throw methodNotAllowed();
  switch (`${groupResourceOf(kind.resource)}/${subresource}`) {
    case "pods/binding":
      return bindPod(context, target, request);
    case "pods/eviction":
      return evictPod(context, target, request);
    case "serviceaccounts/token":
      return requestToken(context, target, request);
  }
  if (subresource === "scale") return serveScale(context, target, request);
  if (!WRITTEN_PARTS.has(subresource)) {
    // Streams are served from sockets (http/), which the in-process transport has none of.
    throw badRequest(`${subresource} cannot be asked for in this way`);
  }
  if (verb === "get") return getObject(context, target, request);
  const write = verb === "patch" ? patchObject : replaceObject;
  return written(context, request, target, write(context, target, request));
}

/** The answer to a write: 201 for what is new, else 200. */
async function written(
  context: ServerContext,
  request: ApiRequest,
  target: Target,
  pending: Promise<WriteResult>,
): Promise<Answer> {
  const { written: result, warnings } = await pending;
  const format = formatOf(request);
  const isNew = result.effect === "put" && result.previous === undefined;
  if (!result.entry) return documentOf({}, { warnings });
  const answer = presentObject(context, target, result.entry, { format, status: isNew ? 201 : 200 });
  return withWarnings(await encode(answer, format), warnings);
}
