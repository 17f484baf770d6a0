// Options as small Unix programs take them: `-qO-`, `-T 5`, `--timeout=5`, `--header X`; everything else is an operand.

export interface OptionSpec {
  /** Short letters and long names; those that take a value are marked with `:` behind. */
  readonly known: readonly string[];
  /** Long name or letter → the letter or name it stands for. */
  readonly alias?: Readonly<Record<string, string>>;
}

export interface Options {
  has(name: string): boolean;
  /** The last value given. */
  value(name: string): string | undefined;
  values(name: string): readonly string[];
  readonly operands: readonly string[];
  /** The first option that is not known, or lacks its value. */
  readonly unknown: string | undefined;
}

export function parseOptions(argv: readonly string[], { known, alias = {} }: OptionSpec): Options {
  const takesValue = new Map(known.map((name) => [name.replace(/:$/, ""), name.endsWith(":")]));
  const given = new Map<string, string[]>();
  const operands: string[] = [];
  let unknown: string | undefined;
  const note = (shown: string, name: string, value: () => string | undefined): boolean => {
    const real = alias[name] ?? name;
    const valued = takesValue.get(real);
    const text = valued ? value() : "";
    if (valued === undefined || text === undefined) unknown ??= shown;
    else given.set(real, [...(given.get(real) ?? []), text]);
    return valued === true;
  };
  const rest = [...argv];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--") {
      operands.push(...rest.splice(0));
    } else if (arg.startsWith("--")) {
      const [name = "", ...value] = arg.slice(2).split("=");
      note(arg, name, () => (value.length > 0 ? value.join("=") : rest.shift()));
    } else if (arg.length > 1 && arg.startsWith("-")) {
      for (let at = 1; at < arg.length; at += 1) {
        const tail = arg.slice(at + 1);
        if (note(`-${arg[at]}`, arg[at] ?? "", () => (tail === "" ? rest.shift() : tail))) break;
      }
    } else operands.push(arg);
  }
  return {
    has: (name) => given.has(name),
    value: (name) => given.get(name)?.at(-1),
    values: (name) => given.get(name) ?? [],
    operands,
    unknown,
  };
}
