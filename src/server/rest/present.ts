// Turns what is stored into what the client asked for: the object itself, its metadata alone, or rows of a table.
import type { AnyKind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { apiVersionOf } from "../../api/resource.ts";
import { fromStored } from "../../api/served-form.ts";
import { statusError } from "../../api/status-error.ts";
import { deepFreeze } from "../../store/freeze.ts";
import { inParts } from "../breathe.ts";
import type { ObjectEntry, ServerContext } from "../context.ts";
import { type Format, PROTOBUF } from "../negotiation.ts";
import type { Answer, DocumentAnswer, RawAnswer } from "../request.ts";
import { tableOf } from "./table.ts";
import type { Target } from "./target.ts";

export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

type Shown = Pick<ObjectEntry, "object" | "json">;
type Kinds = Pick<Target, "kind" | "served">;

/** What is stored, in the form of `served`; made once for each stored object, however many ask for it. */
export function servedEntry(served: AnyKind, entry: Shown): Shown {
  const { form } = served;
  if (!form) return entry;
  let made = conversions.get(form);
  if (!made) {
    made = new WeakMap();
    conversions.set(form, made);
  }
  let shown = made.get(entry.object);
  if (!shown) {
    const object = deepFreeze(fromStored(served, entry.object));
    shown = { object, json: JSON.stringify(object) };
    made.set(entry.object, shown);
  }
  return shown;
}

const conversions = new WeakMap<NonNullable<AnyKind["form"]>, WeakMap<KubeObject, Shown>>();

/** One object. */
export function presentObject(
  context: ServerContext,
  { kind, served }: Kinds,
  stored: Shown,
  options: { format: Format; status?: number },
): DocumentAnswer {
  const { format, status = 200 } = options;
  const form = "document";
  const entry = servedEntry(served, stored);
  if (format.as === "Table") {
    const { resourceVersion } = entry.object.metadata;
    const table = tableOf({ kind, served }, [stored.object], {
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

// Entries of a list whose text is made at a time: a few milliseconds' work.
const PIECE = 250;

/** A collection. The JSON text is joined from the stored texts, nothing is serialized again. */
export function presentList(
  context: ServerContext,
  { kind, served }: Kinds,
  entries: readonly Shown[],
  { format, meta }: { format: Format; meta: ListMeta },
): DocumentAnswer {
  if (format.as === "Table") {
    const now = context.clock.now();
    const rowsOf = (some: readonly Shown[]) =>
      tableOf(
        { kind, served },
        some.map(({ object }) => object),
        { format, meta, now },
      );
    const { rows: _, ...head } = rowsOf([]);
    return listAnswer(entries, {
      head,
      member: "rows",
      items: (some) => rowsOf(some).rows,
      text: (some) => JSON.stringify(rowsOf(some).rows).slice(1, -1),
    });
  }
  if (format.as === "PartialObjectMetadata") {
    const apiVersion = `meta.k8s.io/${format.version}`;
    const partials = (some: readonly Shown[]) => some.map(({ object }) => partialOf(object, format.version));
    return listAnswer(entries, {
      head: { kind: "PartialObjectMetadataList", apiVersion, metadata: meta },
      member: "items",
      items: partials,
      text: (some) => JSON.stringify(partials(some)).slice(1, -1),
    });
  }
  const { resource } = served;
  return listAnswer(entries, {
    head: { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata: meta },
    member: "items",
    items: (some) => some.map((entry) => servedEntry(served, entry).object),
    text: (some) => some.map((entry) => servedEntry(served, entry).json).join(","),
  });
}

interface ListForm {
  /** What stands before the member that holds the entries. */
  readonly head: object;
  readonly member: "items" | "rows";
  items(some: readonly Shown[]): readonly unknown[];
  /** The JSON of some items, without brackets. */
  text(some: readonly Shown[]): string;
}

function listAnswer(entries: readonly Shown[], { head, member, items, text }: ListForm): DocumentAnswer {
  const texts = function* () {
    yield `${JSON.stringify(head).slice(0, -1)},"${member}":[`;
    for (let start = 0; start < entries.length; start += PIECE)
      yield (start > 0 ? "," : "") + text(entries.slice(start, start + PIECE));
    yield "]}";
  };
  return {
    form: "document",
    status: 200,
    value: () => ({ ...head, [member]: items(entries) }),
    json: () => [...texts()].join(""),
    ...(entries.length > PIECE ? { texts } : {}),
  };
}

export function partialOf(object: KubeObject, version: string): KubeObject {
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}

/** Gives a document the encoding that was asked for. Throws 406 for what has no message in protobuf. */
export async function encode(answer: DocumentAnswer, format: Format): Promise<Answer> {
  if (format.encoding === "json") return answer;
  if (format.encoding === "protobuf") {
    const encoded = await encodeInProtobuf(answer);
    if (!encoded) throw notInProtobuf();
    return encoded;
  }
  const { stringify } = await import("yaml");
  return rawOf(answer, "application/yaml", stringify(answer.value(), AS_YAML));
}

// For readers of YAML 1.1 too (Python's, Ruby's): what they would take for times or booleans is quoted. No aliases, which many readers limit.
const AS_YAML = { version: "1.1", indentSeq: false, lineWidth: 0, aliasDuplicateObjects: false } as const;

/** Undefined for what has no message. */
export async function encodeInProtobuf(answer: DocumentAnswer): Promise<RawAnswer | undefined> {
  const { documentInParts } = await import("../../api/protobuf/documents.ts");
  const bytes = await inParts(documentInParts(answer.value()));
  return bytes && rawOf(answer, PROTOBUF, bytes);
}

function rawOf(
  { status, warnings, headers }: DocumentAnswer,
  contentType: string,
  bytes: string | Uint8Array,
): RawAnswer {
  return {
    form: "raw",
    status,
    contentType,
    bytes,
    ...(warnings ? { warnings } : {}),
    ...(headers ? { headers } : {}),
  };
}

/** Of a kind that is kubemu's own, as of a custom resource. */
export const notInProtobuf = () =>
  statusError(
    "NotAcceptable",
    "only the following media types are accepted: application/json, application/yaml",
  );
