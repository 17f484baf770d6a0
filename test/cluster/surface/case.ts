// What a case of the surface is: one row of the table in docs/compatibility.md. A case is data: command lines as a user types them and the
// shape of what they print. See run-case.ts for how they are run.

export interface Step {
  /** For sh, in the case's folder. `$NS` is the namespace, and what earlier steps saved are variables too. */
  run?: string;
  /** The same in the background; the step waits for `out` in either of its outputs. */
  start?: string;
  /** A GET without credentials, for what a started command serves. */
  fetch?: string;
  /** The exit code, 0 unless said. */
  exit?: number;
  /** What standard output must match; a string must be all of it, its last newline apart. */
  out?: RegExp | string;
  err?: RegExp | string;
  input?: string;
  /** Again until it has the exit code and the output that are asked for. */
  retry?: true;
  /** The output, trimmed (or the first group of `out`), is kept under that name. */
  save?: string;
}

export interface SurfaceCase {
  /** The kubectl verb, with its sub-command. */
  verb: string;
  /** The flags or the form that the row stands for. */
  form: string;
  steps: readonly (Step | string)[];
  files?: Readonly<Record<string, string>>;
  /** In a namespace of its own, emptied afterwards, instead of the one with the fixture of its kubectl version. */
  own?: true;
  /** Changes the one node that is set aside for such cases, so it runs alone. */
  node?: true;
  /** The first kubectl that has it; with an older one the first step must fail as unknown. */
  since?: string;
  /** It works, but not as in Kubernetes: how. */
  differs?: string;
  /** The server does not have it, and the steps show how it says so: why. */
  absent?: string;
}

/** A regular expression for a table: the header's columns, then exactly these rows, each a pattern with a space between columns. */
export function table(header: string, ...rows: readonly string[]): RegExp {
  const line = (text: string) => text.trim().replaceAll(/ +/g, " +");
  return new RegExp(`^${[header, ...rows].map((each) => `${line(each)} *\n`).join("")}$`);
}

/** The table's row that stands for a case. */
export const rowOf = ({ verb, form }: Pick<SurfaceCase, "verb" | "form">): string => `${verb} ${form}`;

export type Result = "works" | "differs" | "not there";

/** What a case says that a kubectl version's result is. */
export function expectedResult(each: SurfaceCase, version: string): Result {
  if (each.absent !== undefined || !isSince(version, each.since)) return "not there";
  return each.differs === undefined ? "works" : "differs";
}

/** Whether a kubectl `version` ("1.27") is `since` or later. */
export function isSince(version: string, since: string | undefined): boolean {
  const minor = (text: string) => Number(text.split(".")[1]);
  return since === undefined || minor(version) >= minor(since);
}
