// Splits an API path into what it names, as apiserver's RequestInfo does.

export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** What follows the subresource, undecoded, with its leading slash: `/metrics` of `…/proxy/metrics`. */
  readonly rest: string;
  /** The old form `/api/v1/watch/pods`. */
  readonly watch: boolean;
}

const NAMESPACE_SUBRESOURCES: ReadonlySet<string | undefined> = new Set(["status", "finalize"]);

/**
 * `/api/v1/namespaces/default/pods/web/log` → { plural: "pods", namespace: "default", name: "web", subresource: "log" }.
 * Undefined for what is no resource path: `/api`, `/apis/apps`, `/healthz`. Throws URIError for broken escapes.
 */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const [, root, ...segments] = path.split("/");
  const core = root === "api";
  if (!core && root !== "apis") return undefined;
  const group = core ? "" : decodeURIComponent(segments.shift() ?? "");
  const version = decodeURIComponent(segments.shift() ?? "");
  const watch = segments[0] === "watch";
  if (watch) segments.shift();
  if (!version || !segments[0]) return undefined;

  let namespace: string | undefined;
  if (
    segments[0] === "namespaces" &&
    segments.length > 2 &&
    segments[2] !== "" &&
    !isNamespaceOwn(segments)
  ) {
    namespace = decodeURIComponent(segments[1] ?? "");
    segments.splice(0, 2);
  }
  const [plural = "", name, subresource, ...rest] = segments;
  return {
    group,
    version,
    watch,
    plural: decodeURIComponent(plural),
    namespace,
    name: name ? decodeURIComponent(name) : undefined,
    subresource: subresource ? decodeURIComponent(subresource) : undefined,
    rest: rest.length > 0 ? `/${rest.join("/")}` : "",
  };
}

/** `/api/v1/namespaces/NAME/status` is about the namespace itself. */
const isNamespaceOwn = (segments: readonly string[]) => NAMESPACE_SUBRESOURCES.has(segments[2]);
