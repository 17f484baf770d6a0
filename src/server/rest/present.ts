// Turns what is stored into what the client asked for: the object itself, its metadata alone, or rows of a table.
import type { AnyKind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import type { JsonObject } from "../../api/own.ts";
import { apiVersionOf } from "../../api/resource.ts";
import { statusError } from "../../api/status-error.ts";
import type { ObjectEntry, ServerContext } from "../context.ts";
import type { Format } from "../negotiation.ts";
import type { Answer, DocumentAnswer } from "../request.ts";
import { tableOf } from "./table.ts";

export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

type Shown = Pick<ObjectEntry, "object" | "json">;

/** One object. */
export function presentObject(
  context: ServerContext,
  kind: AnyKind,
  entry: Shown,
  options: { format: Format; status?: number },
): DocumentAnswer {
  const { format, status = 200 } = options;
  const form = "document";
  if (format.as === "Table") {
    const { resourceVersion } = entry.object.metadata;
    const table = tableOf(kind, [entry.object], {
      format,
      meta: { resourceVersion },
      now: context.clock.now(),
    });
    return { form, status, value: () => table, json: () => JSON.stringify(table) };
  }
  if (format.as === "PartialObjectMetadata") {
    const partial = partialOf(entry.object, format.version);
    return { form, status, value: () => partial, json: () => JSON.stringify(partial) };
  }
  return { form, status, value: () => entry.object, json: () => entry.json };
}

/** A collection. The JSON text is joined from the stored texts, nothing is serialized again. */
export function presentList(
  context: ServerContext,
  kind: AnyKind,
  entries: readonly Shown[],
  { format, meta }: { format: Format; meta: ListMeta },
): DocumentAnswer {
  const form = "document";
  const status = 200;
  if (format.as === "Table") {
    const objects = entries.map(({ object }) => object);
    const table = tableOf(kind, objects, { format, meta, now: context.clock.now() });
    return { form, status, value: () => table, json: () => JSON.stringify(table) };
  }
  if (format.as === "PartialObjectMetadata") {
    const list = {
      kind: "PartialObjectMetadataList",
      apiVersion: `meta.k8s.io/${format.version}`,
      metadata: meta,
      items: entries.map(({ object }) => partialOf(object, format.version)),
    };
    return { form, status, value: () => list, json: () => JSON.stringify(list) };
  }
  const head = { kind: `${kind.resource.kind}List`, apiVersion: apiVersionOf(kind.resource), metadata: meta };
  return {
    form,
    status,
    value: () => ({ ...head, items: entries.map(({ object }) => object) }),
    json: () => {
      const start = JSON.stringify(head);
      return `${start.slice(0, -1)},"items":[${entries.map(({ json }) => json).join(",")}]}`;
    },
  };
}

export function partialOf(object: KubeObject, version: string): KubeObject {
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}

/** Gives a document the encoding that was asked for. */
export async function encode(
  context: ServerContext,
  answer: DocumentAnswer,
  { format, schema }: { format: Format; schema: string | undefined },
): Promise<Answer> {
  if (format.encoding === "json") return answer;
  const { status, warnings, headers } = answer;
  const rest = {
    form: "raw" as const,
    status,
    ...(warnings ? { warnings } : {}),
    ...(headers ? { headers } : {}),
  };
  if (format.encoding === "yaml") {
    const { stringify } = await import("yaml");
    return { ...rest, contentType: "application/yaml", bytes: stringify(answer.value()) };
  }
  if (!schema || format.as !== "object")
    throw statusError(
      "NotAcceptable",
      "only the following media types are accepted: application/json, application/yaml",
    );
  const { encodeProtobuf } = await import("../../api/protobuf/codec.ts");
  const bytes = encodeProtobuf(answer.value() as JsonObject, schema, context.registry.lookup);
  return { ...rest, contentType: "application/vnd.kubernetes.protobuf", bytes };
}
