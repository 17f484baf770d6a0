// Serves what is not an object: discovery, OpenAPI, version, health and metrics. Documents are made when first asked for and
// kept until the set of kinds changes.
import { createHash } from "node:crypto";
import type { AnyKind } from "../../api/kind.ts";
import { statusError } from "../../api/status-error.ts";
import type { ServerContext } from "../context.ts";
import { mediaTypes, PROTOBUF } from "../negotiation.ts";
import { type Answer, type ApiRequest, documentOf, type RawAnswer } from "../request.ts";
import { aggregated, coreVersions, groupDocument, groupList, resourceList } from "./documents.ts";
import { health, healthPaths } from "./health.ts";
import { type ServedResource, servedResources } from "./resources.ts";

const VERSION = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.0",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "",
  platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
};

// Asked for with `@v1.0`, answered without: an `@` is not allowed in a media type, and Go's parser refuses it.
const OPENAPI_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

export interface Documents {
  /** Answers any GET that names no resource. Throws 404 and 406. */
  serve(request: ApiRequest): Promise<Answer>;
}

interface Kept {
  readonly kinds: readonly AnyKind[];
  readonly resources: readonly ServedResource[];
  readonly made: Map<string, Made>;
}

interface Made {
  readonly body: string | Uint8Array;
  readonly tag: string;
}

export function createDocuments(context: ServerContext, port: () => number): Documents {
  let kept: Kept | undefined;
  const current = (): Kept => {
    const kinds = context.registry.all();
    if (kept?.kinds !== kinds)
      kept = { kinds, resources: servedResources(context.registry), made: new Map() };
    return kept;
  };
  return {
    async serve(request) {
      const [, first, second, third, more] = request.path.replace(/\/$/, "").split("/");
      switch (first) {
        case "healthz":
        case "livez":
        case "readyz":
          return healthOf(first, request);
        case "api":
          return discovery(request, current(), { core: true, group: "", version: second, port: port() });
        case "apis":
          if (more !== undefined) throw unknownPath();
          return discovery(request, current(), { core: false, group: second, version: third, port: port() });
        case "version":
          return documentOf(VERSION);
        case "openapi":
          return openapi(context, request, current());
        case "metrics":
          return text(metrics(context));
        case undefined:
          return documentOf({ paths: rootPaths(current().resources) });
        default:
          throw unknownPath();
      }
    },
  };
}

export const unknownPath = () =>
  statusError("NotFound", "the server could not find the requested resource", {});

const text = (body: string, status = 200): RawAnswer => ({
  form: "raw",
  status,
  contentType: "text/plain; charset=utf-8",
  bytes: body,
});

function healthOf(name: string, { path, query }: ApiRequest): Answer {
  const told = health(name, path.slice(name.length + 2), query);
  if (told === undefined || path.endsWith("/")) throw unknownPath();
  return { ...text(told), headers: { "x-content-type-options": "nosniff" } };
}

function metrics({ store }: ServerContext): string {
  const { heapUsed, rss } = process.memoryUsage();
  return [
    "# TYPE process_resident_memory_bytes gauge",
    `process_resident_memory_bytes ${rss}`,
    "# TYPE kubemu_heap_used_bytes gauge",
    `kubemu_heap_used_bytes ${heapUsed}`,
    "# TYPE kubemu_store_revision counter",
    `kubemu_store_revision ${store.revision}`,
    "",
  ].join("\n");
}

function rootPaths(resources: readonly ServedResource[]): string[] {
  const versions = new Set<string>();
  for (const { group, version } of resources) {
    if (group) versions.add(`/apis/${group}`);
    versions.add(group ? `/apis/${group}/${version}` : `/api/${version}`);
  }
  const others = ["/metrics", "/openapi/v2", "/openapi/v3", "/version"];
  return ["/api", "/apis", ...versions, ...healthPaths(), ...others].sort();
}

function make(kept: Kept, key: string, body: () => string | Uint8Array): Made {
  let made = kept.made.get(key);
  if (!made) {
    const bytes = body();
    made = { body: bytes, tag: createHash("sha256").update(bytes).digest("hex").toUpperCase() };
    kept.made.set(key, made);
  }
  return made;
}

function send({ body, tag }: Made, request: ApiRequest, contentType: string): Answer {
  const headers = { etag: `"${tag}"`, vary: "Accept" };
  if (request.ifNoneMatch?.includes(tag))
    return { form: "raw", status: 304, contentType, bytes: "", headers };
  return { form: "raw", status: 200, contentType, bytes: body, headers };
}

interface Asked {
  readonly core: boolean;
  readonly group: string | undefined;
  readonly version: string | undefined;
  readonly port: number;
}

async function discovery(
  request: ApiRequest,
  kept: Kept,
  { core, group, version, port }: Asked,
): Promise<Answer> {
  const { resources } = kept;
  if (version !== undefined) {
    const list = resourceList(resources, group ?? "", version);
    if (!list) throw unknownPath();
    return documentOf(list);
  }
  if (!core && group !== undefined) {
    const found = groupDocument(resources, group);
    if (!found) throw unknownPath();
    return documentOf(found);
  }
  const wanted = wantedAggregation(request.accept);
  if (!wanted) return documentOf(core ? coreVersions(`127.0.0.1:${port}`) : groupList(resources));
  const codec = wanted.type === PROTOBUF ? await import("../../api/protobuf/documents.ts") : undefined;
  const made = make(kept, `${core ? "api" : "apis"} ${wanted.type} ${wanted.version}`, () => {
    const document = aggregated(resources, { core, version: wanted.version });
    return codec?.encodeDocument(document) ?? JSON.stringify(document);
  });
  const contentType = `${wanted.type};g=apidiscovery.k8s.io;v=${wanted.version};as=APIGroupDiscoveryList`;
  return send(made, request, contentType);
}

/**
 * The encoding and version of aggregated discovery that the client prefers, JSON before protobuf; undefined when it would
 * rather have none.
 */
function wantedAggregation(accept: string): { type: string; version: string } | undefined {
  const all = mediaTypes(accept);
  const json = all.filter(({ type }) => type === "application/json");
  for (const { type, parameters } of json.length > 0 ? json : all.filter(({ type }) => type === PROTOBUF)) {
    const version = parameters.get("v");
    if (parameters.get("as") !== "APIGroupDiscoveryList") return undefined;
    if (parameters.get("g") === "apidiscovery.k8s.io" && (version === "v2" || version === "v2beta1"))
      return { type, version };
  }
  return undefined;
}

async function openapi(context: ServerContext, request: ApiRequest, kept: Kept): Promise<Answer> {
  const { describedBy } = await import("../../api/openapi/definitions.ts");
  const described = describedBy(context.registry);
  const [, , version, ...rest] = request.path.replace(/\/$/, "").split("/");
  const groupVersion = rest.join("/");
  if (version === "v2" && groupVersion === "") {
    const { openapiV2, openapiV2Protobuf } = await import("../../api/openapi/v2.ts");
    const protobuf = !/json|\*\/\*/.test(request.accept) && request.accept.includes("protobuf");
    const made = make(kept, `v2 ${protobuf}`, () =>
      protobuf ? openapiV2Protobuf(described) : JSON.stringify(openapiV2(described)),
    );
    return send(made, request, protobuf ? OPENAPI_V2_PROTOBUF : "application/json");
  }
  if (version !== "v3") throw unknownPath();
  const { openapiV3, openapiV3Paths } = await import("../../api/openapi/v3.ts");
  if (groupVersion === "")
    return send(
      make(kept, "v3", () => JSON.stringify(openapiV3Paths(described))),
      request,
      "application/json",
    );
  if (
    !kept.resources.some(
      ({ group, version: v }) => groupVersion === (group ? `apis/${group}/${v}` : `api/${v}`),
    )
  )
    throw unknownPath();
  const made = make(kept, `v3 ${groupVersion}`, () => JSON.stringify(openapiV3(described, groupVersion)));
  return send(made, request, "application/json");
}
