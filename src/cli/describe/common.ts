// What every description has: head, labels, conditions, events. Lines hold tabs; `align` makes columns of them.

import type { Event } from "../../api/generated/types.ts";
import { humanDuration } from "../../api/kind.ts";
import { LAST_APPLIED } from "../../api/names.ts";
import { controllerOf, type KubeObject } from "../../api/object.ts";
import type { Client } from "../../client/client.ts";

/** Lines with tabs, without the events. */
export type Describe<T extends KubeObject> = (object: T, client: Client) => string | Promise<string>;

/** A line that goes on with the value of the one above stays as it is. */
export const indent = (text: string, by: string): string =>
  text
    .split("\n")
    .map((line) => (line && !line.startsWith("\t") ? by + line : line))
    .join("\n");

export const head = ({ metadata }: KubeObject): string =>
  `Name:\t${metadata.name}\nNamespace:\t${metadata.namespace}\n`;

/** `Labels:` and the like: one a line, in the order of their names. */
export const mapLines = (title: string, map: Readonly<Record<string, string>> = {}): string =>
  `${title}:\t${
    Object.entries(map)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${name}=${value}`)
      .join("\n\t") || "<none>"
  }\n`;

export const labelsLines = ({ metadata }: KubeObject): string => mapLines("Labels", metadata.labels);

// As kubectl shows them: what is longer gets a line of its own, and is cut off there.
const LONGEST_ANNOTATION = 140;

export function annotationsLines({
  metadata = {},
}: {
  readonly metadata?: Pick<KubeObject["metadata"], "annotations">;
}): string {
  const lines = Object.entries(metadata.annotations ?? {})
    .filter(([name]) => name !== LAST_APPLIED)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => {
      if (value.length < LONGEST_ANNOTATION && !value.includes("\n")) return [`${name}: ${value}`];
      return [
        `${name}:`,
        ...value
          .trimEnd()
          .split("\n")
          .map((line) => shortened(`  ${line}`)),
      ];
    });
  return `Annotations:\t${lines.join("\n\t") || "<none>"}\n`;
}

const shortened = (line: string): string =>
  line.length > LONGEST_ANNOTATION ? `${line.slice(0, LONGEST_ANNOTATION)}...` : line;

/** `Title:` with one value a line below each other, `<none>` without any. */
export const listLines = (title: string, values: readonly string[]): string =>
  `${title}:\t${values.join("\n\t") || "<none>"}\n`;

export function ownerLine(object: KubeObject): string {
  const owner = controllerOf(object);
  return owner ? `Controlled By:\t${owner.kind}/${owner.name}\n` : "";
}

export const finalizersLine = ({ metadata }: KubeObject): string =>
  `Finalizers:\t[${metadata.finalizers?.join(" ") ?? ""}]\n`;

/** `True` or `False`, `<unset>` where nothing is said. */
export const flagText = (flag: boolean | undefined): string =>
  flag === undefined ? "<unset>" : flag ? "True" : "False";

/** RFC 1123 with a numeric zone: `Wed, 25 Nov 2026 03:49:48 +0000`. */
export const dateText = (time: string | undefined): string =>
  time ? new Date(time).toUTCString().replace("GMT", "+0000") : "<unset>";

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
}

export function eventLines(events: readonly Event[], nowMs: number): string {
  if (events.length === 0) return "Events:\t<none>\n";
  const newestLast = [...events].sort((a, b) => lastTime(a) - lastTime(b));
  const rows = newestLast.map((event) => {
    const { type = "", reason = "", message = "", count = 1, source } = event;
    const where = source?.component || event.reportingComponent || "";
    const age = humanDuration(nowMs - lastTime(event));
    const first = Date.parse(event.firstTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp);
    const shown = count > 1 ? `${age} (x${count} over ${humanDuration(nowMs - first)})` : age;
    return `  ${type}\t${reason}\t${shown}\t${where}\t${message.trim()}`;
  });
  return `Events:\n  Type\tReason\tAge\tFrom\tMessage\n  ----\t------\t----\t----\t-------\n${rows.join("\n")}\n`;
}

const lastTime = ({ lastTimestamp, eventTime, metadata }: Event): number =>
  Date.parse(lastTimestamp ?? eventTime ?? metadata.creationTimestamp);

/** Workloads give a condition's reason; a pod's are shown without. */
export function conditionLines(conditions: readonly Condition[] | undefined, withReason: boolean): string {
  if (!conditions || conditions.length === 0) return "";
  const head = withReason ? ["  Type\tStatus\tReason", "  ----\t------\t------"] : ["  Type\tStatus"];
  const rows = conditions.map(({ type, status, reason = "" }) =>
    withReason ? `  ${type} \t${status}\t${reason}` : `  ${type} \t${status} `,
  );
  return `Conditions:\n${[...head, ...rows].join("\n")}\n`;
}
