// OpenAPI v2: everything in one document, as JSON or as the protobuf message of gnostic that kubectl asks for.
import type { JsonObject } from "../own.ts";
import { type Described, type Dialect, definitionsOf } from "./definitions.ts";
import { type Descriptions, readDescriptions } from "./descriptions.ts";
import { encodeGnostic } from "./gnostic.ts";
import { pathsOf, subresourceTypes } from "./paths.ts";

const DIALECT: Dialect = { version: 2, prefix: "#/definitions/" };

/** What `/openapi/v2` answers. `descriptions` are read from beside the program when they are not given. */
export function openapiV2(registry: Described, descriptions: Descriptions = readDescriptions()): JsonObject {
  const kinds = registry.all();
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version: "unversioned" },
    paths: pathsOf(kinds, DIALECT),
    definitions: definitionsOf(
      registry,
      { kinds, extra: subresourceTypes(kinds) },
      { dialect: DIALECT, descriptions },
    ),
  };
}

/** The same as application/com.github.proto-openapi.spec.v2@v1.0+protobuf. */
export function openapiV2Protobuf(registry: Described, descriptions?: Descriptions): Uint8Array {
  return encodeGnostic(openapiV2(registry, descriptions));
}
