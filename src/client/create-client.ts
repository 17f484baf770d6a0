import type { Status } from "../api/generated/types.ts";
import type { KubeObject } from "../api/object.ts";
import { apiVersionOf, pathOf, type Resource } from "../api/resource.ts";
import { hasReason, StatusError } from "../api/status-error.ts";
import type { At, Client, List, ListOptions, PatchType, WriteOptions } from "./client.ts";
import type { Transport, TransportRequest } from "./transport.ts";

const PATCH_CONTENT_TYPES: Record<PatchType, string> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

/**
 * A typed client on `transport`. `userAgent` (`kube-scheduler`) is also the field manager of its writes, as a real
 * server would take it from the User-Agent header. Failure Statuses are thrown as StatusError, a lost connection as
 * the transport's own error.
 */
export function createClient(transport: Transport, { userAgent }: { userAgent?: string } = {}): Client {
  const send = async <R>(request: TransportRequest, onWarnings?: WriteOptions["onWarnings"]): Promise<R> => {
    const { status, body, warnings } = await transport.request(withoutUndefined(request));
    if (status >= 400) throw new StatusError(failureOf(status, body));
    if (warnings.length > 0) onWarnings?.(warnings);
    return body as R;
  };
  const write = <R>(request: TransportRequest, options: WriteOptions & { force?: boolean } = {}) =>
    send<R>(
      {
        ...request,
        query: {
          fieldManager: options.fieldManager ?? userAgent,
          dryRun: options.dryRun ? "All" : undefined,
          fieldValidation: options.fieldValidation,
          force: options.force,
        },
        signal: options.signal,
      } as TransportRequest,
      options.onWarnings,
    );
  const get: Client["get"] = (resource, at, signal) =>
    send({ method: "GET", path: pathOf(resource, at), signal } as TransportRequest);

  return {
    transport,
    get,
    async find(resource, at, signal) {
      try {
        return await get(resource, at, signal);
      } catch (error) {
        if (hasReason(error, "NotFound")) return undefined;
        throw error;
      }
    },
    list: <T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}) =>
      send<List<T>>(listRequest(resource, options)),
    watch: (resource, { allowWatchBookmarks, sendInitialEvents, timeoutSeconds, ...options }, onEvent) => {
      const request = listRequest(resource, options);
      const query = { ...request.query, allowWatchBookmarks, sendInitialEvents, timeoutSeconds };
      return transport.watch({ ...request, query } as TransportRequest, onEvent);
    },
    create: (resource, object, options) => {
      const { namespace, name } = (object.metadata ?? {}) as { namespace?: string; name?: string };
      const path = options?.subresource
        ? pathOf(resource, { namespace, name, subresource: options.subresource })
        : pathOf(resource, { namespace });
      return write({ method: "POST", path, body: typed(resource, object) }, options);
    },
    createSub: (resource, at, subresource, body) =>
      write({ method: "POST", path: pathOf(resource, { ...named(at), subresource }), body }),
    update: (resource, object, options) => put(write, resource, object, options),
    updateStatus: (resource, object, options) =>
      put(write, resource, object, { ...options, subresource: "status" }),
    patch: (resource, at, type, patch, options) =>
      write(
        {
          method: "PATCH",
          path: pathOf(resource, { ...named(at), subresource: options?.subresource }),
          body: patch,
          contentType: PATCH_CONTENT_TYPES[type],
        },
        options,
      ),
    delete: async (resource, at, { signal, ...options } = {}) => {
      const body = { apiVersion: "v1", kind: "DeleteOptions", ...options };
      await send({ method: "DELETE", path: pathOf(resource, named(at)), body, signal } as TransportRequest);
    },
  };
}

type Write = <R>(request: TransportRequest, options?: WriteOptions) => Promise<R>;

function put<T extends KubeObject>(
  write: Write,
  resource: Resource<T>,
  object: T,
  options: WriteOptions = {},
): Promise<T> {
  const path = pathOf(resource, { ...named(object.metadata), subresource: options.subresource });
  return write({ method: "PUT", path, body: typed(resource, object) }, options);
}

const named = ({ namespace, name }: At) => ({ namespace, name });

const typed = (resource: Resource, object: object) => ({
  ...object,
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
});

function listRequest(resource: Resource, { namespace, signal, ...query }: ListOptions): TransportRequest {
  return { method: "GET", path: pathOf(resource, { namespace }), query, signal } as TransportRequest;
}

function withoutUndefined(request: TransportRequest): TransportRequest {
  return Object.fromEntries(
    Object.entries(request).filter(([, value]) => value !== undefined),
  ) as unknown as TransportRequest;
}

/** Turns any failure answer into a Status: some (a proxy's, a crash's) have no Status as body. */
export function failureOf(code: number, body: unknown): Status & { code: number } {
  if (typeof body === "object" && body !== null && (body as Status).kind === "Status")
    return { ...(body as Status), code: (body as Status).code ?? code };
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {} as Status["metadata"],
    status: "Failure",
    reason: code === 401 ? "Unauthorized" : "InternalError",
    message: typeof body === "string" && body ? body : `the server answered ${code}`,
    code,
  };
}
