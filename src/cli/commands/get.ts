// `kubemu get`: the server's tables, or the objects in another format; `-w` goes on with what changes.
import type { KubeObject } from "../../api/object.ts";
import { pathOf } from "../../api/resource.ts";
import { StatusError } from "../../api/status-error.ts";
import { failureOf } from "../../client/create-client.ts";
import { type Invocation, UsageError } from "../command.ts";
import { type ObjectPrinter, objectPrinter, type Shown } from "../output-format.ts";
import { readSelected, type Selected, selectedObjects, selectorsOf } from "../selected-objects.ts";
import { printRows, type ServerTable, TABLE, type TableView, tableRows } from "../server-table.ts";
import { inWords, note, type Session, withSession } from "../session.ts";

export const get = (invocation: Invocation): Promise<number> =>
  withSession(invocation, async (session) => {
    const selected = await selectedObjects(session, invocation);
    const printer = objectPrinter(invocation.options["output"]);
    const isWatch = invocation.options["watch"] === true;
    if (isWatch && selected.length > 1)
      throw new UsageError("you may only specify a single resource type, or one object, with --watch");
    if (printer && !isWatch) return printObjects(session, selected, { printer, invocation });
    return printTables(session, selected, invocation);
  });

async function printObjects(
  session: Session,
  selected: readonly Selected[],
  { printer, invocation }: { printer: ObjectPrinter; invocation: Invocation },
): Promise<number> {
  const shown = await readSelected(session, selected, invocation);
  process.stdout.write(printer(shown, selected.length > 1 || selected[0]?.name === undefined));
  return 0;
}

async function printTables(
  session: Session,
  selected: readonly Selected[],
  invocation: Invocation,
): Promise<number> {
  const types = new Set(selected.map(({ type }) => type));
  const view = viewOf(session, invocation, types.size > 1);
  const read = await Promise.all(
    selected.map((one) => readTable(session, one, invocation).catch((error: unknown) => ({ one, error }))),
  );
  let isFirst = true;
  const widths: number[] = [];
  for (const type of types) {
    const tables = read.flatMap((each) => ("table" in each && each.one.type === type ? [each.table] : []));
    const rows = tables.flatMap((table) => table.rows);
    if (rows.length === 0) continue;
    const printed = tableRows({ ...(tables[0] as ServerTable), rows }, type, view);
    process.stdout.write(
      `${isFirst ? "" : "\n"}${printRows([printed.header, ...printed.rows], types.size === 1 ? widths : [])}`,
    );
    isFirst = false;
  }
  const failures = read.flatMap((each) => ("error" in each ? [each.error] : []));
  for (const failure of failures) note(inWords(failure));
  const [only] = selected;
  if (invocation.options["watch"] === true && only && failures.length === 0) {
    const table = read[0] && "table" in read[0] ? read[0].table : undefined;
    await watchTable(session, only, { invocation, view, widths, ...(table ? { table } : {}) });
    return 0;
  }
  if (isFirst && failures.length === 0) note(nothingFound(session, selected));
  return failures.length > 0 ? 1 : 0;
}

function viewOf({ allNamespaces }: Session, { options }: Invocation, showKind: boolean): TableView {
  return {
    wide: options["output"] === "wide",
    showNamespace: allNamespaces,
    showLabels: options["showLabels"] === true,
    showKind,
  };
}

const nothingFound = (session: Session, selected: readonly Selected[]): string =>
  selected.some(({ namespace }) => namespace)
    ? `No resources found in ${session.namespace} namespace.`
    : "No resources found";

async function readTable(session: Session, one: Selected, { options }: Invocation) {
  const { type, namespace, name } = one;
  const { status, body } = await session.client.transport.request({
    method: "GET",
    path: pathOf(type.resource, { namespace, name }),
    query: name === undefined ? selectorsOf(options) : {},
    accept: TABLE,
  });
  if (status >= 400) throw new StatusError(failureOf(status, body));
  return { one, table: body as ServerTable };
}

interface WatchedTable {
  readonly invocation: Invocation;
  readonly view: TableView;
  readonly widths: number[];
  /** What was printed before the watch. */
  readonly table?: ServerTable;
}

/** Until Ctrl-C, or until the server ends it. */
async function watchTable(
  { client }: Session,
  { type, namespace, name }: Selected,
  { invocation, view, widths, table }: WatchedTable,
): Promise<void> {
  const printer = objectPrinter(invocation.options["output"]);
  const { labelSelector, fieldSelector } = selectorsOf(invocation.options);
  const fields = [...(fieldSelector ? [fieldSelector] : []), ...(name ? [`metadata.name=${name}`] : [])];
  let columns = table?.columnDefinitions;
  let isHeaderShown = (table?.rows.length ?? 0) > 0;
  await client.transport.watch(
    {
      method: "GET",
      path: pathOf(type.resource, { namespace }),
      query: {
        labelSelector,
        fieldSelector: fields.length > 0 ? fields.join(",") : undefined,
        resourceVersion: table?.metadata?.resourceVersion,
      },
      accept: printer ? "application/json" : TABLE,
    },
    ({ type: event, object }) => {
      if (event === "BOOKMARK") return;
      if (event === "ERROR") throw new StatusError(failureOf(500, object));
      if (printer) {
        process.stdout.write(printer([{ type, object: object as KubeObject } satisfies Shown], false));
        return;
      }
      const change = object as ServerTable;
      columns = change.columnDefinitions ?? columns;
      const printed = tableRows({ ...change, columnDefinitions: columns ?? [] }, type, view);
      process.stdout.write(
        printRows(isHeaderShown ? printed.rows : [printed.header, ...printed.rows], widths),
      );
      isHeaderShown = true;
    },
  );
}
