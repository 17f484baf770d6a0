// kubectl's JSONPath templates: text with `{…}` in it, `{range .items[*]}…{end}`, `{.a.b[0]}`, `{..name}`, `{.items[?(@.x=="y")].z}`,
// `{"\n"}`. Parsing and evaluation are pure. Unlike kubectl: functions and regular expressions are not there (nor in kubectl's documents).

type Step =
  | { readonly take: "field"; readonly names: readonly string[] }
  | { readonly take: "slice"; readonly from?: number; readonly to?: number; readonly step: number }
  | { readonly take: "index"; readonly indexes: readonly number[] }
  | { readonly take: "all" }
  | { readonly take: "below" }
  | { readonly take: "filter"; readonly left: Operand; readonly operator?: string; readonly right?: Operand };

interface Path {
  readonly fromRoot: boolean;
  readonly steps: readonly Step[];
}
type Operand = { readonly path: Path } | { readonly value: unknown };

type Part =
  | { readonly text: string }
  | { readonly path: Path }
  | { readonly range: Path; readonly body: readonly Part[] };

export interface JsonPath {
  /** The text of the template for `data`, as `-o jsonpath=` prints it. */
  print(data: unknown): string;
  /** What the template's expressions find, in order. */
  find(data: unknown): unknown[];
}

/** Throws one line where the template is malformed. A template without braces is one expression. */
export function parseJsonPath(template: string): JsonPath {
  const text = template.includes("{") ? template : `{${template}}`;
  const tokens = text.match(/\{(?:"(?:\\.|[^"])*"|'(?:\\.|[^'])*'|[^}"'])*\}|[^{]+|\{/g) ?? [];
  const reader = { tokens, at: 0 };
  const parts = readParts(reader, false);
  return {
    print: (data) => printParts(parts, data, data),
    find: (data) => parts.flatMap((part) => ("path" in part ? walk(part.path, data, data) : [])),
  };
}

function readParts(reader: { tokens: readonly string[]; at: number }, inRange: boolean): Part[] {
  const parts: Part[] = [];
  while (reader.at < reader.tokens.length) {
    const token = reader.tokens[reader.at++] ?? "";
    if (!token.startsWith("{")) parts.push({ text: token });
    else if (!token.endsWith("}") || token === "{")
      throw new Error("error parsing jsonpath: unclosed action");
    else {
      const action = token.slice(1, -1).trim();
      if (action === "end") {
        if (!inRange) throw new Error("error parsing jsonpath: not in range, nothing to end");
        return parts;
      }
      if (/^range\b/.test(action)) {
        const range = parsePath(action.slice("range".length).trim());
        parts.push({ range, body: readParts(reader, true) });
      } else if (/^["']/.test(action)) parts.push({ text: String(parseLiteral(action)) });
      else for (const each of action.split(/\s+(?=[.$@[])/)) parts.push({ path: parsePath(each) });
    }
  }
  if (inRange) throw new Error("error parsing jsonpath: unexpected end of range, a {end} is missing");
  return parts;
}

function parsePath(text: string): Path {
  const fromRoot = text.startsWith("$");
  let rest = text.replace(/^[$@]/, "");
  const steps: Step[] = [];
  if (rest !== "" && !/^[.[]/.test(rest)) rest = `.${rest}`;
  while (rest !== "" && rest !== ".") {
    const [whole, step] = nextStep(rest);
    steps.push(...step);
    rest = rest.slice(whole.length);
  }
  return { fromRoot, steps };
}

function nextStep(rest: string): [string, Step[]] {
  const below = /^\.\.(\*|(?:\\.|[^.[\]])+)?/.exec(rest);
  if (below) {
    const name = below[1];
    if (name === undefined) return [below[0], [{ take: "below" }]];
    return [below[0], [{ take: "below" }, name === "*" ? { take: "all" } : field(name)]];
  }
  const dotted = /^\.((?:\\.|[^.[\]])+)/.exec(rest);
  if (dotted) return [dotted[0], [dotted[1] === "*" ? { take: "all" } : field(dotted[1] ?? "")]];
  const bracket =
    /^\.?\[((?:\?\((?:"(?:\\.|[^"])*"|'(?:\\.|[^'])*'|\[[^\]]*\]|[^)"'])*\))|(?:'(?:\\.|[^'])*'|"(?:\\.|[^"])*"|[^\]])*)\]/.exec(
      rest,
    );
  if (!bracket) throw new Error(`error parsing jsonpath: unrecognized part ${JSON.stringify(rest)}`);
  return [bracket[0], [parseBracket((bracket[1] ?? "").trim())]];
}

const field = (name: string): Step => ({ take: "field", names: [name.replace(/\\(.)/g, "$1")] });

function parseBracket(inner: string): Step {
  if (inner === "*") return { take: "all" };
  if (inner.startsWith("?(")) return parseFilter(inner.slice(2, -1));
  if (/^["']/.test(inner))
    return {
      take: "field",
      names: (inner.match(/"(?:\\.|[^"])*"|'(?:\\.|[^'])*'/g) ?? []).map((each) =>
        String(parseLiteral(each)),
      ),
    };
  const slice = /^(-?\d+)?:(-?\d+)?(?::(-?\d+))?$/.exec(inner);
  if (slice)
    return {
      take: "slice",
      ...(slice[1] === undefined ? {} : { from: Number(slice[1]) }),
      ...(slice[2] === undefined ? {} : { to: Number(slice[2]) }),
      step: Number(slice[3] ?? 1),
    };
  const indexes = inner.split(",").map((each) => each.trim());
  if (!indexes.every((each) => /^-?\d+$/.test(each)))
    throw new Error(`error parsing jsonpath: invalid array index ${inner}`);
  return { take: "index", indexes: indexes.map(Number) };
}

function parseFilter(text: string): Step {
  const found = /^(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*)$/s.exec(text.trim());
  if (!found) return { take: "filter", left: parseOperand(text.trim()) };
  return {
    take: "filter",
    left: parseOperand(found[1] ?? ""),
    operator: found[2] ?? "",
    right: parseOperand(found[3] ?? ""),
  };
}

const parseOperand = (text: string): Operand =>
  /^[@$.]/.test(text) ? { path: parsePath(text) } : { value: parseLiteral(text) };

function parseLiteral(text: string): unknown {
  if (text.startsWith("'"))
    return text.slice(1, -1).replace(/\\n/g, "\n").replace(/\\t/g, "\t").replace(/\\(.)/g, "$1");
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`error parsing jsonpath: unrecognized value ${text}`);
  }
}

function walk({ fromRoot, steps }: Path, current: unknown, root: unknown): unknown[] {
  let values = [fromRoot ? root : current];
  for (const step of steps) values = values.flatMap((value) => take(step, value, root));
  return values;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;
const children = (value: unknown): unknown[] => (isObject(value) ? Object.values(value) : []);

function take(step: Step, value: unknown, root: unknown): unknown[] {
  switch (step.take) {
    case "field":
      return step.names.flatMap((name) =>
        isObject(value) && !Array.isArray(value) && Object.hasOwn(value, name) ? [value[name]] : [],
      );
    case "all":
      return children(value);
    case "below":
      return [value, ...children(value).flatMap((child) => take(step, child, root))];
    case "index":
      return Array.isArray(value) ? step.indexes.flatMap((index) => value.slice(index).slice(0, 1)) : [];
    case "slice":
      return Array.isArray(value)
        ? value.slice(step.from ?? 0, step.to).filter((_, index) => index % Math.max(step.step, 1) === 0)
        : [];
    case "filter":
      return children(value).filter((item) => passes(step, item, root));
  }
}

function passes(
  { left, operator, right }: Extract<Step, { take: "filter" }>,
  item: unknown,
  root: unknown,
): boolean {
  const read = (operand: Operand): unknown =>
    "value" in operand ? operand.value : walk(operand.path, item, root)[0];
  const [a, b] = [read(left), right && read(right)];
  if (operator === undefined) return a !== undefined;
  if (a === undefined) return operator === "!=";
  if (operator === "==") return a === b;
  if (operator === "!=") return a !== b;
  if (typeof a !== typeof b) return false;
  const order = (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
  return operator === "<"
    ? order < 0
    : operator === ">"
      ? order > 0
      : operator === "<="
        ? order <= 0
        : order >= 0;
}

function printParts(parts: readonly Part[], current: unknown, root: unknown): string {
  return parts
    .map((part) => {
      if ("text" in part) return part.text;
      if ("path" in part) return walk(part.path, current, root).map(textOf).join(" ");
      return walk(part.range, current, root)
        .map((item) => printParts(part.body, item, root))
        .join("");
    })
    .join("");
}

export const textOf = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
