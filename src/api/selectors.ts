// Label and field selectors: the text grammar of apimachinery's labels.Parse and fields.ParseSelector, LabelSelector
// objects, and both written back as kubectl's columns show them.

import { labelKeyErrors, labelValueErrors } from "./label-syntax.ts";
import type { LabelSelector } from "./object.ts";
import { badRequest } from "./status-error.ts";

export type Labels = Readonly<Record<string, string>>;
export type LabelMatcher = (labels: Labels | undefined) => boolean;

type Operator = "in" | "notin" | "=" | "==" | "!=" | "exists" | "!" | "gt" | "lt";

interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

export interface FieldRequirement {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

const everything: LabelMatcher = () => true;
const nothing: LabelMatcher = () => false;

/**
 * Reads a label selector's text: `app=web,tier in (a,b),!legacy`. Throws 400 BadRequest in Kubernetes' words.
 */
export function parseLabelSelector(text: string): LabelMatcher {
  return matcherOf(parseRequirements(text));
}

/** What a LabelSelector object selects: undefined nothing, `{}` everything. Throws 400 for an unknown operator. */
export function labelMatcher(selector: LabelSelector | undefined): LabelMatcher {
  return selector ? matcherOf(requirementsOf(selector)) : nothing;
}

/** Matches what has all of these labels; an empty map matches everything. */
export function labelMatcherOf(map: Labels | undefined): LabelMatcher {
  const wanted = Object.entries(map ?? {});
  if (wanted.length === 0) return everything;
  return (labels) => wanted.every(([key, value]) => labelOf(labels, key) === value);
}

/** A LabelSelector as text, `<none>` when it selects everything or is absent: metav1.FormatLabelSelector. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  try {
    return selectorText(selector) || "<none>";
  } catch {
    return "<error>";
  }
}

/** A LabelSelector as the text that a list request takes: "" selects everything. Throws 400 for an unknown operator. */
export function selectorText(selector: LabelSelector | undefined): string {
  return selector ? requirementsOf(selector).map(requirementText).join(",") : "";
}

/** Labels as `a=1,b=2`, sorted, `<none>` when there are none: metav1.FormatLabels. */
export function formatLabels(map: Labels | undefined): string {
  return labelsText(map) || "<none>";
}

/** Labels as `a=1,b=2`, sorted, "" when there are none: labels.Set.String. */
export function labelsText(map: Labels | undefined): string {
  return Object.keys(map ?? {})
    .sort()
    .map((key) => `${key}=${map?.[key]}`)
    .join(",");
}

function labelOf(labels: Labels | undefined, key: string): string | undefined {
  return labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function matcherOf(requirements: readonly Requirement[]): LabelMatcher {
  if (requirements.length === 0) return everything;
  return (labels) => requirements.every((requirement) => meets(requirement, labels));
}

function meets({ key, operator, values }: Requirement, labels: Labels | undefined): boolean {
  const value = labelOf(labels, key);
  switch (operator) {
    case "in":
    case "=":
    case "==":
      return value !== undefined && values.includes(value);
    case "notin":
    case "!=":
      return value === undefined || !values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case "gt":
    case "lt":
      return value !== undefined && isBeyond(value, operator, values[0] ?? "");
  }
}

function isBeyond(value: string, operator: "gt" | "lt", limit: string): boolean {
  if (!/^[-+]?\d+$/.test(value)) return false;
  return operator === "gt" ? BigInt(value) > BigInt(limit) : BigInt(value) < BigInt(limit);
}

const EXPRESSION_OPERATORS: Readonly<Record<string, Operator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

function requirementsOf(selector: LabelSelector): Requirement[] {
  const requirements: Requirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: "=",
    values: [value],
  }));
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = Object.hasOwn(EXPRESSION_OPERATORS, operator) ? EXPRESSION_OPERATORS[operator] : undefined;
    if (!known) throw badRequest(`"${operator}" is not a valid label selector operator`);
    requirements.push({ key, operator: known, values: values ?? [] });
  }
  return requirements.sort(byKey);
}

const byKey = (a: Requirement, b: Requirement) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

function requirementText({ key, operator, values }: Requirement): string {
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${[...values].sort().join(",")})`;
    case "gt":
      return `${key}>${values[0]}`;
    case "lt":
      return `${key}<${values[0]}`;
    default:
      return `${key}${operator}${values[0]}`;
  }
}

// --- the text grammar ---

interface Token {
  readonly kind: "identifier" | "symbol" | "end";
  readonly text: string;
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (const [match] of text.matchAll(/[^\s!=(),<>]+|==|!=|[!=(),<>]/g)) {
    found.push({ kind: /^[!=(),<>]/.test(match) ? "symbol" : "identifier", text: match });
  }
  found.push({ kind: "end", text: "" });
  return found;
}

class Tokens {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
  }

  peek(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)] as Token;
  }

  take(): Token {
    const token = this.peek();
    this.#next++;
    return token;
  }
}

const BINARY_OPERATORS = "in, notin, =, ==, !=, gt, lt";
const isSymbol = (token: Token, text: string) => token.kind === "symbol" && token.text === text;
const endsRequirement = (token: Token) => token.kind === "end" || isSymbol(token, ",");

function parseRequirements(text: string): Requirement[] {
  const input = new Tokens(text);
  const requirements: Requirement[] = [];
  while (input.peek().kind !== "end") {
    const start = input.peek();
    if (start.kind !== "identifier" && !isSymbol(start, "!")) {
      throw badRequest(`found '${start.text}', expected: !, identifier, or 'end of string'`);
    }
    requirements.push(parseRequirement(input));
    const after = input.take();
    if (after.kind === "end") break;
    if (!isSymbol(after, ",")) throw badRequest(`found '${after.text}', expected: ',' or 'end of string'`);
    const next = input.peek();
    if (next.kind !== "identifier" && !isSymbol(next, "!")) {
      throw badRequest(`found '${next.text}', expected: identifier after ','`);
    }
  }
  return requirements.sort(byKey);
}

const unable = (why: string) => badRequest(`unable to parse requirement: ${why}`);

function parseRequirement(input: Tokens): Requirement {
  const negated = isSymbol(input.peek(), "!");
  if (negated) input.take();
  const key = input.take();
  if (key.kind !== "identifier") throw unable(`found '${key.text}', expected: identifier`);
  const [problem] = labelKeyErrors(key.text);
  if (problem) throw unable(`<nil>: Invalid value: ${JSON.stringify(key.text)}: ${problem}`);
  if (negated) return { key: key.text, operator: "!", values: [] };
  if (endsRequirement(input.peek())) return { key: key.text, operator: "exists", values: [] };
  const operator = parseOperator(input);
  const listed = operator === "in" || operator === "notin";
  const values = listed ? parseValues(input) : [parseExactValue(input)];
  checkValues(key.text, operator, values);
  return { key: key.text, operator, values };
}

function parseOperator(input: Tokens): Operator {
  const { text } = input.take();
  if (text === "in" || text === "notin" || text === "=" || text === "==" || text === "!=") return text;
  if (text === ">") return "gt";
  if (text === "<") return "lt";
  throw unable(`found '${text}', expected: ${BINARY_OPERATORS}`);
}

/** `(a,b)`; a value left out, as in `(a,)`, is the empty string. */
function parseValues(input: Tokens): string[] {
  const open = input.take();
  if (!isSymbol(open, "(")) throw unable(`found '${open.text}' expected: '('`);
  const values = new Set<string>();
  if (isSymbol(input.peek(), ")")) {
    input.take();
    return [];
  }
  for (;;) {
    const token = input.peek();
    values.add(token.kind === "identifier" ? input.take().text : "");
    const after = input.take();
    if (isSymbol(after, ")")) return [...values];
    if (!isSymbol(after, ",")) throw unable(`found '${after.text}', expected: ',', ')' or identifier`);
  }
}

function parseExactValue(input: Tokens): string {
  const token = input.peek();
  if (endsRequirement(token)) return "";
  if (token.kind !== "identifier") throw unable(`found '${token.text}', expected: identifier`);
  return input.take().text;
}

function checkValues(key: string, operator: Operator, values: readonly string[]): void {
  if ((operator === "in" || operator === "notin") && values.length === 0) {
    throw unable("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty");
  }
  if ((operator === "gt" || operator === "lt") && !/^[-+]?\d+$/.test(values[0] ?? "")) {
    const shown = JSON.stringify(values[0] ?? "");
    throw unable(
      `values[0]: Invalid value: ${shown}: for 'Gt', 'Lt' operators, the value must be an integer`,
    );
  }
  values.forEach((value, index) => {
    const [problem] = labelValueErrors(value);
    if (problem)
      throw unable(`values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${problem}`);
  });
}

// --- field selectors ---

/**
 * Reads a field selector's text: `metadata.name=web,status.phase!=Running`; `\\`, `\,` and `\=` stand for the characters
 * themselves. Which fields exist is the server's to check. Throws 400 BadRequest in Kubernetes' words.
 */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  return splitTerms(text)
    .filter((term) => term !== "")
    .map((term) => {
      const match = /^((?:\\.|[^\\=!])*?)(==|!=|=)(.*)$/s.exec(term);
      if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      const [, field = "", operator, value = ""] = match;
      return { field, operator: operator === "!=" ? "!=" : "=", value: unescapeValue(value) };
    });
}

function splitTerms(text: string): string[] {
  return text.match(/(?:\\.|[^\\,]|\\$)+/gs) ?? [];
}

function unescapeValue(value: string): string {
  const bad = /\\(?![\\,=]).?/s.exec(value.replace(/\\[\\,=]/g, ""));
  if (bad) throw badRequest(`invalid field selector: invalid escape sequence: ${bad[0]}`);
  const unescaped = /[,=]/.exec(value.replace(/\\./gs, ""));
  if (unescaped) throw badRequest(`invalid field selector: unescaped character in value: ${unescaped[0]}`);
  return value.replace(/\\(.)/gs, "$1");
}
