// meta.k8s.io Table: what `kubectl get` prints. Columns and cells are the kind's own.
import type { AnyKind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { fromStored } from "../../api/served-form.ts";
import type { Format } from "../negotiation.ts";
import type { ListMeta } from "./present.ts";

/** A Table of stored `objects`; `bare` leaves the column definitions out, as every event of a watch but the first does. */
export function tableOf(
  { kind, served }: { kind: Pick<AnyKind, "columns">; served: AnyKind },
  objects: readonly KubeObject[],
  { format, meta, now, bare = false }: { format: Format; meta: ListMeta; now: number; bare?: boolean },
) {
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${format.version}`,
    metadata: meta,
    columnDefinitions: bare
      ? null
      : kind.columns.map(({ name, type, format: columnFormat = "", description, priority }) => ({
          name,
          type,
          format: columnFormat,
          description,
          priority,
        })),
    rows: objects.map((object) => ({
      cells: kind.columns.map((column) => column.value(object, now)),
      ...rowObject(served, object, format),
    })),
  };
}

function rowObject(
  served: AnyKind,
  object: KubeObject,
  { includeObject, version }: Format,
): { object?: unknown } {
  if (includeObject === "None") return {};
  if (includeObject === "Object") return { object: fromStored(served, object) };
  const partial = {
    kind: "PartialObjectMetadata",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: object.metadata,
  };
  return { object: partial };
}
