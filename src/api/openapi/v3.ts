// OpenAPI v3: an index of group versions, and one document for each.
import { createHash } from "node:crypto";
import type { AnyKind } from "../kind.ts";
import type { JsonObject } from "../own.ts";
import { type Described, type Dialect, definitionsOf } from "./definitions.ts";
import { type Descriptions, readDescriptions } from "./descriptions.ts";
import { pathsOf, subresourceTypes } from "./paths.ts";

const DIALECT: Dialect = { version: 3, prefix: "#/components/schemas/" };

function groupVersionOf({ resource: { group, version } }: AnyKind): string {
  return group ? `apis/${group}/${version}` : `api/${version}`;
}

/** What `/openapi/v3` answers: where the document of each group version lies, with a hash by which clients keep it. */
export function openapiV3Paths(registry: Described): {
  paths: Record<string, { serverRelativeURL: string }>;
} {
  const byGroupVersion = new Map<string, AnyKind[]>();
  for (const kind of registry.all()) {
    const name = groupVersionOf(kind);
    byGroupVersion.set(name, [...(byGroupVersion.get(name) ?? []), kind]);
  }
  const paths: Record<string, { serverRelativeURL: string }> = {};
  for (const [name, kinds] of byGroupVersion) {
    const hash = createHash("sha256")
      .update(JSON.stringify(kinds.map(identityOf)))
      .digest("hex");
    paths[name] = { serverRelativeURL: `/openapi/v3/${name}?hash=${hash.slice(0, 32).toUpperCase()}` };
  }
  return { paths };
}

const identityOf = ({ resource, schema, types }: AnyKind) => [resource, schema, types ?? {}];

/**
 * What `/openapi/v3/<groupVersion>` answers (`api/v1`, `apis/apps/v1`). `descriptions` are read from beside the program
 * when they are not given.
 */
export function openapiV3(
  registry: Described,
  groupVersion: string,
  descriptions: Descriptions = readDescriptions(),
): JsonObject {
  const kinds = registry.all().filter((kind) => groupVersionOf(kind) === groupVersion);
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "unversioned" },
    paths: pathsOf(kinds, DIALECT),
    components: {
      schemas: definitionsOf(
        registry,
        { kinds, extra: subresourceTypes(kinds) },
        { dialect: DIALECT, descriptions },
      ),
    },
  };
}
