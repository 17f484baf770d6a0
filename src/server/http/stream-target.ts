// Which requests are streams that the relay answers: logs, exec, attach, port-forward and the proxy subresources.
import { parseResourcePath } from "../path.ts";
import type { StreamTarget } from "../streams/relay.ts";
import { splitUrl } from "./read-request.ts";

const POD_STREAMS: ReadonlySet<string | undefined> = new Set([
  "log",
  "exec",
  "attach",
  "portforward",
  "proxy",
]);

/** Undefined for every other request. Throws URIError. */
export function streamTargetOf(url: string): StreamTarget | undefined {
  // Cheap for what it mostly is not.
  if (!url.startsWith("/api/v1/")) return undefined;
  const { path, query } = splitUrl(url);
  const parsed = parseResourcePath(path);
  if (!parsed?.name || !parsed.subresource) return undefined;
  const { plural, namespace, name, subresource, rest } = parsed;
  const isStream =
    (plural === "pods" && namespace !== undefined && POD_STREAMS.has(subresource)) ||
    (plural === "services" && namespace !== undefined && subresource === "proxy") ||
    (plural === "nodes" && namespace === undefined && subresource === "proxy");
  if (!isStream || (subresource !== "proxy" && rest !== "")) return undefined;
  return {
    plural,
    ...(namespace !== undefined ? { namespace } : {}),
    name,
    subresource: subresource as StreamTarget["subresource"],
    ...(subresource === "proxy" ? { path: rest } : {}),
    query,
  };
}
