// Label and field selectors of list, watch and deletecollection, as one predicate over objects.
import type { AnyKind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { parseFieldSelector, parseLabelSelector } from "../../api/selectors.ts";
import { fromStored } from "../../api/served-form.ts";
import { badRequest } from "../../api/status-error.ts";

export interface Selection {
  matches(object: KubeObject): boolean;
  /** Set when a field selector names exactly one object. */
  readonly name: string | undefined;
  readonly everything: boolean;
}

/**
 * What a request about `served` selects of what is stored. Throws 400 for a selector that cannot be parsed and for a field that the kind
 * does not offer.
 */
export function selectionOf(served: AnyKind, query: URLSearchParams): Selection {
  const labelText = query.get("labelSelector") ?? "";
  const fieldText = query.get("fieldSelector") ?? "";
  const labels = labelText === "" ? undefined : parseLabelSelector(labelText);
  const fields = fieldText === "" ? [] : parseFieldSelector(fieldText);
  const offered = fields.length > 0 ? offeredFields(served) : undefined;
  for (const { field } of fields)
    if (!isMetadata(field) && offered && !offered(field))
      throw badRequest(
        served.fields
          ? `field label not supported: ${field}`
          : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
      );

  return {
    everything: !labels && fields.length === 0,
    name: fields.find(({ field, operator }) => field === "metadata.name" && operator === "=")?.value,
    matches: (object) => {
      if (labels && !labels(object.metadata.labels)) return false;
      if (fields.length === 0) return true;
      const values = served.fields?.(served.form?.fields ? fromStored(served, object) : object);
      return fields.every(({ field, operator, value }) => {
        const actual = isMetadata(field) ? metadataField(object, field) : (values?.[field] ?? "");
        return (actual === value) === (operator === "=");
      });
    },
  };
}

const isMetadata = (field: string) => field === "metadata.name" || field === "metadata.namespace";

function metadataField({ metadata }: KubeObject, field: string): string {
  return (field === "metadata.name" ? metadata.name : metadata.namespace) ?? "";
}

/**
 * Which fields a kind offers, read off what it says of an empty object: `fields` gives every key for every object.
 * Undefined when it cannot be told.
 */
function offeredFields(kind: AnyKind): ((field: string) => boolean) | undefined {
  if (!kind.fields) return () => false;
  try {
    const known = kind.fields(hollow() as KubeObject);
    return (field) => Object.hasOwn(known, field);
  } catch {
    return undefined;
  }
}

/** An object that has every field, each of them empty in the same way. */
function hollow(): unknown {
  const target = () => "";
  return new Proxy(target, {
    get: (_, name) =>
      name === Symbol.toPrimitive ? () => "" : name === Symbol.iterator ? [][Symbol.iterator] : hollow(),
    apply: () => "",
  });
}
