// A description of any object: its fields as they are, in words (`creationTimestamp` → `Creation Timestamp`).
import type { KubeObject } from "../../api/object.ts";
import { annotationsLines, indent, labelsLines } from "./common.ts";

export function describeFields(object: KubeObject): string {
  const { metadata, apiVersion, kind, ...rest } = object;
  const { name, namespace, labels: _l, annotations: _a, managedFields: _m, ...more } = metadata;
  return [
    `Name:\t${name}\n`,
    ...(namespace ? [`Namespace:\t${namespace}\n`] : []),
    labelsLines(object),
    annotationsLines(object),
    `API Version:\t${apiVersion ?? ""}\nKind:\t${kind ?? ""}\n`,
    fieldLines("Metadata", more),
    ...Object.entries(rest)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([field, value]) => fieldLines(titleOf(field), value)),
  ].join("");
}

const titleOf = (field: string): string => {
  const words = field.replace(/([a-z0-9])([A-Z])/g, "$1 $2");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

function fieldLines(title: string, value: unknown): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return "";
    if (value.every((item) => typeof item !== "object"))
      return `${title}:\n${value.map((item) => `  ${String(item)}\n`).join("")}`;
    return `${title}:\n${value.map((item) => indent(objectLines(item as object), "  ")).join("")}`;
  }
  if (typeof value === "object" && value !== null) {
    const lines = objectLines(value);
    return lines ? `${title}:\n${indent(lines, "  ")}` : `${title}:\n`;
  }
  return `${title}:\t${String(value)}\n`;
}

const objectLines = (value: object): string =>
  Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => fieldLines(titleOf(name), field))
    .join("");
