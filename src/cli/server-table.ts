// The server's own tables (meta.k8s.io Table), printed as kubectl prints them.
import type { KubeObject } from "../api/object.ts";
import type { ServedResource } from "../client/discovery.ts";
import { typeName } from "./resource-types.ts";
import { formatTable } from "./table.ts";

export const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

export interface ServerTable {
  readonly kind?: string;
  readonly metadata?: { readonly resourceVersion?: string };
  readonly columnDefinitions?:
    | readonly { readonly name: string; readonly priority: number; readonly format?: string }[]
    | null;
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: KubeObject }[];
}

export interface TableView {
  /** Also the columns of priority 1. */
  readonly wide: boolean;
  readonly showNamespace: boolean;
  readonly showLabels: boolean;
  /** Writes `deployment.apps/web` where several types are shown. */
  readonly showKind: boolean;
}

// tabwriter's minimum, which kubectl sets.
const LEAST_WIDTH = 6;

/** A table's header and rows as texts. `columns` of an earlier table stand in where a watch leaves them out. */
export function tableRows(table: ServerTable, type: ServedResource, view: TableView) {
  const definitions = table.columnDefinitions ?? [];
  const shown = definitions.map(({ priority }) => view.wide || priority === 0);
  const nameAt = definitions.findIndex(({ format, name }) => format === "name" || name === "Name");
  const header = [
    ...(view.showNamespace ? ["NAMESPACE"] : []),
    ...definitions.filter((_, index) => shown[index]).map(({ name }) => name.toUpperCase()),
    ...(view.showLabels ? ["LABELS"] : []),
  ];
  const rows = table.rows.map(({ cells, object }) => [
    ...(view.showNamespace ? [object.metadata.namespace ?? ""] : []),
    ...cells.flatMap((cell, index) =>
      shown[index]
        ? [index === nameAt && view.showKind ? `${typeName(type)}/${String(cell)}` : cellText(cell)]
        : [],
    ),
    ...(view.showLabels ? [labelsText(object.metadata.labels)] : []),
  ]);
  return { header, rows };
}

/** `widths` keeps the columns of a table that goes on in line. */
export const printRows = (rows: readonly (readonly string[])[], widths: number[] = []): string =>
  formatTable(rows, LEAST_WIDTH, widths);

const cellText = (cell: unknown): string => (cell === null || cell === undefined ? "<none>" : String(cell));

const labelsText = (labels: Readonly<Record<string, string>> = {}): string =>
  Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join(",") || "<none>";
