// Which resources a server serves, under which names: aggregated discovery, two requests.
import type { Resource } from "../api/resource.ts";
import { StatusError } from "../api/status-error.ts";
import { failureOf } from "./create-client.ts";
import type { Transport } from "./transport.ts";

export interface ServedResource {
  readonly resource: Resource;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
}

interface GroupDiscovery {
  readonly metadata?: { readonly name?: string };
  readonly versions?: readonly {
    readonly version: string;
    readonly resources?: readonly ResourceDiscovery[];
  }[];
}

interface ResourceDiscovery {
  readonly resource: string;
  readonly responseKind?: { readonly kind: string };
  readonly scope: "Namespaced" | "Cluster";
  readonly singularResource?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly verbs?: readonly string[];
  readonly subresources?: readonly { readonly subresource: string }[];
}

const ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** In the server's order of preference: the core group first, each group's preferred version before its others. */
export async function discover(transport: Transport, signal?: AbortSignal): Promise<ServedResource[]> {
  const groups = await Promise.all(
    ["/api", "/apis"].map(async (path) => {
      const answer = await transport.request({
        method: "GET",
        path,
        accept: ACCEPT,
        ...(signal ? { signal } : {}),
      });
      if (answer.status >= 400) throw new StatusError(failureOf(answer.status, answer.body));
      return (answer.body as { items?: readonly GroupDiscovery[] }).items ?? [];
    }),
  );
  return groups.flat().flatMap(({ metadata, versions = [] }) =>
    versions.flatMap(({ version, resources = [] }) =>
      resources.map((found) => ({
        resource: {
          group: metadata?.name ?? "",
          version,
          kind: found.responseKind?.kind ?? "",
          plural: found.resource,
          namespaced: found.scope === "Namespaced",
        },
        singular: found.singularResource || (found.responseKind?.kind ?? "").toLowerCase(),
        shortNames: found.shortNames ?? [],
        categories: found.categories ?? [],
        verbs: found.verbs ?? [],
        subresources: (found.subresources ?? []).map(({ subresource }) => subresource),
      })),
    ),
  );
}
