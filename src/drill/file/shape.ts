// A small language for what a file may hold. One declaration gives the check with its messages, the defaults, and the JSON schema, so that
// the three cannot differ.
import { parseGoDuration } from "../../base/duration.ts";

export interface Field {
  readonly shape: Shape;
  readonly about: string;
  /** As the file would write it. */
  readonly fallback?: unknown;
  readonly required?: boolean;
}

export interface FieldsShape {
  readonly type: "fields";
  readonly fields: Readonly<Record<string, Field>>;
  /** Exactly one of each group is given (`what` says of what they are the kinds). */
  readonly oneOf?: { readonly names: readonly string[]; readonly what: string };
}

export type Shape =
  | {
      readonly type: "text";
      readonly pattern?: RegExp;
      readonly like?: string;
      readonly choices?: readonly string[];
    }
  | { readonly type: "duration" }
  | { readonly type: "number"; readonly least: number; readonly most: number; readonly whole?: boolean }
  | { readonly type: "flag" }
  | { readonly type: "list"; readonly of: Shape; readonly least?: number }
  | { readonly type: "map"; readonly of: Shape }
  | { readonly type: "either"; readonly of: readonly Shape[]; readonly said: string }
  | { readonly type: "any" }
  /** A shape that holds itself; `name` is its name in the JSON schema. */
  | { readonly type: "named"; readonly name: string; shape(): Shape }
  | FieldsShape;

export type Path = readonly (string | number)[];

export interface Problem {
  readonly path: Path;
  readonly message: string;
}

/** The value with its defaults, spans as milliseconds. What is wrong is added to `problems`; then the result means nothing. */
export function readShape(shape: Shape, value: unknown, path: Path, problems: Problem[]): unknown {
  const wrong = (message: string) => void problems.push({ path, message });
  switch (shape.type) {
    case "any":
      return value;
    case "named":
      return readShape(shape.shape(), value, path, problems);
    case "text":
      return readText(shape, value, wrong);
    case "duration": {
      const spanMs =
        typeof value === "number" ? (value === 0 ? 0 : undefined) : parseGoDuration(String(value));
      if (spanMs === undefined) wrong(`must be a duration such as 500ms, 2s or 1m30s, not ${shown(value)}`);
      return spanMs;
    }
    case "number":
      return readNumber(shape, value, wrong);
    case "flag":
      if (typeof value !== "boolean") wrong(`must be true or false, not ${shown(value)}`);
      return value;
    case "list":
      if (!Array.isArray(value)) return wrong(`must be a list, not ${shown(value)}`);
      if (value.length < (shape.least ?? 0)) wrong("must not be empty");
      return value.map((item, index) => readShape(shape.of, item, [...path, index], problems));
    case "map":
      if (!isRecord(value)) return wrong(`must be a mapping, not ${shown(value)}`);
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          key,
          readShape(shape.of, item, [...path, key], problems),
        ]),
      );
    case "either": {
      for (const one of shape.of) {
        const found: Problem[] = [];
        const read = readShape(one, value, path, found);
        if (found.length === 0) return read;
      }
      return wrong(`must be ${shape.said}, not ${shown(value)}`);
    }
    case "fields":
      return readFields(shape, value, path, problems);
  }
}

type Complain = (message: string) => void;

function readText(shape: Extract<Shape, { type: "text" }>, value: unknown, wrong: Complain): unknown {
  if (typeof value !== "string") wrong(`must be a text, not ${shown(value)}`);
  else if (shape.choices && !shape.choices.includes(value))
    wrong(`${shown(value)} is not known; allowed: ${shape.choices.join(", ")}`);
  else if (shape.pattern && !shape.pattern.test(value)) wrong(`must be ${shape.like}, not ${shown(value)}`);
  return value;
}

function readNumber(
  { least, most, whole }: Extract<Shape, { type: "number" }>,
  value: unknown,
  wrong: Complain,
): unknown {
  const isFine =
    typeof value === "number" && value >= least && value <= most && (!whole || Number.isInteger(value));
  if (!isFine)
    wrong(`must be a ${whole ? "whole " : ""}number from ${least} to ${most}, not ${shown(value)}`);
  return value;
}

function readFields(
  { fields, oneOf }: FieldsShape,
  given: unknown,
  path: Path,
  problems: Problem[],
): Record<string, unknown> {
  // A key without a value (`expect:`) is an empty mapping.
  const value = given === null ? {} : given;
  if (!isRecord(value)) {
    problems.push({
      path,
      message: `must be a mapping with ${Object.keys(fields).join(", ")}, not ${shown(value)}`,
    });
    return {};
  }
  for (const key of Object.keys(value))
    if (!Object.hasOwn(fields, key))
      problems.push({
        path: [...path, key],
        message: `unknown field; allowed: ${Object.keys(fields).join(", ")}`,
      });
  const chosen = oneOf?.names.filter((name) => Object.hasOwn(value, name)) ?? [];
  if (oneOf && chosen.length !== 1)
    problems.push({
      path: chosen[1] === undefined ? path : [...path, chosen[1]],
      message: `${chosen.length === 0 ? "needs" : "takes only"} one ${oneOf.what}: ${oneOf.names.join(", ")}`,
    });
  const result: Record<string, unknown> = {};
  for (const [name, { shape, fallback, required }] of Object.entries(fields)) {
    if (!Object.hasOwn(value, name)) {
      if (required) problems.push({ path, message: `the field ${name} is missing` });
      if (fallback !== undefined) result[name] = readShape(shape, fallback, [...path, name], problems);
      continue;
    }
    result[name] = readShape(shape, value[name], [...path, name], problems);
  }
  return result;
}

const shown = (value: unknown): string => JSON.stringify(value) ?? "nothing";

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** JSON schema (2020-12) of a shape; named shapes go to `definitions`. */
export function schemaOf(shape: Shape, definitions: Record<string, unknown>): Record<string, unknown> {
  switch (shape.type) {
    case "any":
      return {};
    case "named":
      if (!Object.hasOwn(definitions, shape.name)) {
        // Before it is walked: it holds itself.
        definitions[shape.name] = {};
        definitions[shape.name] = schemaOf(shape.shape(), definitions);
      }
      return { $ref: `#/$defs/${shape.name}` };
    case "text":
      return {
        type: "string",
        ...(shape.choices ? { enum: shape.choices } : {}),
        ...(shape.pattern ? { pattern: shape.pattern.source } : {}),
      };
    case "duration":
      return {
        anyOf: [{ const: 0 }, { type: "string", pattern: String.raw`^(0|(\d+(\.\d+)?(ms|s|m|h))+)$` }],
      };
    case "number":
      return { type: shape.whole ? "integer" : "number", minimum: shape.least, maximum: shape.most };
    case "flag":
      return { type: "boolean" };
    case "list":
      return {
        type: "array",
        items: schemaOf(shape.of, definitions),
        ...(shape.least ? { minItems: shape.least } : {}),
      };
    case "map":
      return { type: "object", additionalProperties: schemaOf(shape.of, definitions) };
    case "either":
      return { anyOf: shape.of.map((one) => schemaOf(one, definitions)) };
    case "fields":
      return fieldsSchema(shape, definitions);
  }
}

function fieldsSchema({ fields, oneOf }: FieldsShape, definitions: Record<string, unknown>) {
  const required = Object.entries(fields).flatMap(([name, field]) => (field.required ? [name] : []));
  return {
    type: ["object", "null"],
    properties: Object.fromEntries(
      Object.entries(fields).map(([name, { shape, about, fallback }]) => [
        name,
        {
          ...schemaOf(shape, definitions),
          description: about,
          ...(fallback === undefined ? {} : { default: fallback }),
        },
      ]),
    ),
    additionalProperties: false,
    ...(required.length > 0 ? { required } : {}),
    ...(oneOf ? { oneOf: oneOf.names.map((name) => ({ required: [name] })) } : {}),
  };
}
