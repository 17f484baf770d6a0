// `-o yaml|json|name|jsonpath=…`: objects as text.
import { stringify } from "yaml";
import type { KubeObject } from "../api/object.ts";
import type { ServedResource } from "../client/discovery.ts";
import { UsageError } from "./command.ts";
import { parseJsonPath } from "./jsonpath.ts";
import { typeName } from "./resource-types.ts";

export interface Shown {
  readonly type: ServedResource;
  readonly object: KubeObject;
}

/** `many`: print a List also where there is only one. Output ends as kubectl's does: with a newline, but for jsonpath. */
export type ObjectPrinter = (shown: readonly Shown[], many: boolean) => string;

const FORMATS = "json, yaml, name, wide, jsonpath=TEMPLATE";

/** undefined where a table is wanted. Throws a UsageError for a format that is not there. */
export function objectPrinter(format: unknown): ObjectPrinter | undefined {
  if (format === undefined || format === "wide" || typeof format !== "string") return undefined;
  if (format === "json") return (shown, many) => `${JSON.stringify(sorted(whole(shown, many)), null, 4)}\n`;
  if (format === "yaml") return (shown, many) => toYaml(whole(shown, many));
  if (format === "name")
    return (shown) => shown.map(({ type, object }) => `${typeName(type)}/${object.metadata.name}\n`).join("");
  const template = /^jsonpath(?:-as-json)?=(.*)$/s.exec(format)?.[1];
  if (template === undefined)
    throw new UsageError(
      `unable to match a printer suitable for the output format ${JSON.stringify(format)}, allowed formats are: ${FORMATS}`,
    );
  const path = parseJsonPath(template);
  return (shown, many) => path.print(whole(shown, many));
}

export const toYaml = (value: unknown): string =>
  stringify(sorted(value), { indentSeq: false, lineWidth: 0, version: "1.1", aliasDuplicateObjects: false });

function whole(shown: readonly Shown[], many: boolean): unknown {
  const objects = shown.map(({ type: { resource }, object }) => {
    const { managedFields: _, ...metadata } = object.metadata;
    const apiVersion = resource.group ? `${resource.group}/${resource.version}` : resource.version;
    return { ...object, apiVersion, kind: resource.kind, metadata };
  });
  if (!many && objects.length === 1) return objects[0];
  return { apiVersion: "v1", kind: "List", items: objects, metadata: { resourceVersion: "" } };
}

/** Fields in the order of their names, as kubectl prints them. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, sorted(field)]),
  );
}
