// The API server's side of logs, exec, attach, port-forward and the proxy subresources: finds the node agent (or the pod,
// Service or node that is proxied to), joins the two connections and reads nothing of what passes.
// The caller authenticates, authorises and routes; a StatusError thrown here before the first byte is the caller's to send.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Duplex } from "node:stream";
import type { KubeObject } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import { badRequest, StatusError } from "../../api/status-error.ts";
import type { Log } from "../../base/log.ts";
import { AGENT_NAME, type AgentIdentity, dial, endWithStatus, join, upgradeHead } from "./join.ts";
import { locate } from "./locate.ts";
import { relayLog } from "./relay-log.ts";
import { createRequestRelay } from "./relay-request.ts";

/** Reads of the store, as it is now. */
export interface RelayReader {
  find<T extends KubeObject>(
    resource: Resource<T>,
    at: { namespace?: string | undefined; name: string },
  ): Promise<Readonly<T> | undefined>;
  list<T extends KubeObject>(
    resource: Resource<T>,
    options: { namespace: string; labelSelector?: string },
  ): Promise<readonly Readonly<T>[]>;
}

export interface StreamRelayOptions {
  readonly reader: RelayReader;
  /** PEM: the cluster's CA and the pair pki/kubelet-client.{crt,key}. */
  readonly credentials: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly log: Log;
}

/** What the request's path names: `/api/v1/namespaces/NS/pods/NAME/exec`, `/api/v1/nodes/NAME/proxy/metrics`. */
export interface StreamTarget {
  readonly plural: "pods" | "services" | "nodes";
  /** Absent for nodes. */
  readonly namespace?: string | undefined;
  /** As in the path, decoded: for the proxy also `https:NAME:PORT`. */
  readonly name: string;
  readonly subresource: "log" | "exec" | "attach" | "portforward" | "proxy";
  /** For the proxy: what follows `/proxy`, undecoded and without the query: `/metrics`, or "" . */
  readonly path?: string;
  /** Undecoded, without `?`: `command=ls&command=-l&stdout=true`. */
  readonly query: string;
}

export interface StreamRelay {
  /**
   * Answers a request that carries no Upgrade: pods/log (GET) and the proxy subresources (any method), over HTTP/1.1 or HTTP/2.
   * exec, attach and portforward without an upgrade are refused with a 400 `Upgrade request required`.
   * Resolves when the answer is sent or the client has gone; rejects with a StatusError before anything was sent.
   */
  forward(
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
    target: StreamTarget,
  ): Promise<void>;
  /**
   * Answers a request with `Upgrade: websocket` or `Upgrade: SPDY/3.1`, from the `upgrade` event of an HTTP/1.1 server. Owns the
   * socket from the call on, and answers errors on it itself; never rejects.
   */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, target: StreamTarget): Promise<void>;
  /** Ends what is under way and closes the connections to node agents. */
  stop(): void;
}

export function createStreamRelay({ reader, credentials, log }: StreamRelayOptions): StreamRelay {
  const abort = new AbortController();
  const identity: AgentIdentity = { ...credentials, servername: AGENT_NAME };
  const relayRequest = createRequestRelay(identity, abort.signal);

  const forward: StreamRelay["forward"] = async (request, response, target) => {
    if (UPGRADE_ONLY.has(target.subresource)) throw badRequest("Upgrade request required");
    const location = await locate(target, reader);
    if (!location) return endEmpty(response as ServerResponse);
    if (target.subresource === "log")
      return relayLog({ location, identity, target, signal: abort.signal }, response as ServerResponse);
    if (redirectToSlash(request, response as ServerResponse, target)) return;
    return relayRequest(location, request, response);
  };
  const upgrade: StreamRelay["upgrade"] = async (request, socket, head, target) => {
    socket.on("error", () => {});
    try {
      if (target.subresource === "log") throw badRequest("logs are not served over an upgraded connection");
      const location = await locate(target, reader);
      if (!location) throw badRequest(`pod ${target.name} does not have a host assigned`);
      const backend = await dial(location, identity, abort.signal);
      backend.write(upgradeHead(request, location));
      if (head.length > 0) backend.write(head);
      join(socket, backend);
    } catch (error) {
      if (!(error instanceof StatusError))
        log.warn({ path: request.url, error: String(error) }, "upgrade failed");
      endWithStatus(socket, error);
    }
  };
  return { forward, upgrade, stop: () => abort.abort() };
}

const UPGRADE_ONLY: ReadonlySet<string> = new Set(["exec", "attach", "portforward"]);

// Kubernetes answers so for the log of a pod that has no node yet.
function endEmpty(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/plain" });
  response.end();
}

// As Kubernetes: `…/proxy` names a directory, without the slash relative links in the page would go astray.
function redirectToSlash(
  request: { readonly method?: string; readonly url?: string },
  response: ServerResponse,
  target: StreamTarget,
): boolean {
  if ((target.path ?? "") !== "" || (request.method !== "GET" && request.method !== "HEAD")) return false;
  const [path = "", query] = (request.url ?? "").split("?", 2);
  response.writeHead(301, { location: `${path}/${query ? `?${query}` : ""}` });
  response.end();
  return true;
}
