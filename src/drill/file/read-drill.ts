// From a file's text to a Drill, or to everything that is wrong with it, each with file, line and field.
import { parseManifests } from "../../api/yaml.ts";
import type { Action, Drill, ManifestSource, Step, Traffic } from "../drill.ts";
import { drillShape, VERBS } from "./grammar.ts";
import { isRecord, type Path, type Problem, readShape, schemaOf } from "./shape.ts";

/** Throws an Error with one line a problem: `FILE:LINE: FIELD: what is wrong`. */
export function readDrill(text: string, file: string): Drill {
  const { documents, problem } = parseManifests(text, file);
  if (problem) throw new Error(`${file}:${problem.line}: ${problem.message}`);
  const [document, ...more] = documents;
  if (!document) throw new Error(`${file}:1: the file is empty; a Drill is expected`);
  if (more[0]) throw new Error(`${file}:${more[0].line}: one drill a file; this is another document`);
  const problems: Problem[] = [];
  const read = readShape(drillShape, document.value, [], problems);
  if (problems.length === 0) problems.push(...timedInside(document.value));
  if (problems.length > 0) {
    const lines = problems.map(
      ({ path, message }) =>
        `${file}:${document.lineOf(path)}: ${path.length > 0 ? `${fieldOf(path)}: ` : ""}${message}`,
    );
    throw new Error(lines.join("\n"));
  }
  return toDrill(read as Parsed);
}

/** JSON schema of a Drill file. */
export function drillSchema(): object {
  const $defs: Record<string, unknown> = {};
  const schema = schemaOf(drillShape, $defs);
  return { $schema: "https://json-schema.org/draft/2020-12/schema", title: "kubemu Drill", ...schema, $defs };
}

/** `spec.steps[2].kill`. */
export const fieldOf = (path: Path): string =>
  path.reduce<string>(
    (all, part) => (typeof part === "number" ? `${all}[${part}]` : all ? `${all}.${part}` : part),
    "",
  );

/** Times since the traffic began mean nothing in steps that come again. */
function timedInside(value: unknown): Problem[] {
  const problems: Problem[] = [];
  const walk = (steps: unknown, path: Path, isInside: boolean) => {
    for (const [index, step] of (Array.isArray(steps) ? steps : []).entries()) {
      if (!isRecord(step)) continue;
      const at = [...path, index];
      if (isInside && Object.hasOwn(step, "at"))
        problems.push({ path: [...at, "at"], message: "not inside repeat and mix; use after" });
      if (isRecord(step["repeat"])) walk(step["repeat"]["steps"], [...at, "repeat", "steps"], true);
      if (isRecord(step["mix"])) walk(step["mix"]["of"], [...at, "mix", "of"], true);
    }
  };
  const spec = isRecord(value) ? value["spec"] : undefined;
  walk(isRecord(spec) ? spec["steps"] : undefined, ["spec", "steps"], false);
  return problems;
}

type Fields = Record<string, unknown>;
interface Parsed {
  readonly metadata: { readonly name: string };
  readonly spec: Omit<Drill, "name" | "namespace" | "steps" | "traffic"> & {
    readonly namespace?: string;
    readonly steps: readonly Fields[];
    readonly traffic: readonly (Omit<Traffic, "name"> & {
      readonly name?: string;
      readonly bodyBytes?: number;
    })[];
  };
}

function toDrill({ metadata, spec }: Parsed): Drill {
  return {
    ...spec,
    name: metadata.name,
    namespace: spec.namespace ?? `drill-${metadata.name}`,
    setup: { ...spec.setup, manifests: spec.setup.manifests.map(toSource) },
    traffic: spec.traffic.map(({ bodyBytes, ...traffic }) => ({
      ...traffic,
      name: traffic.name ?? traffic.service,
      body: bodyBytes === undefined ? traffic.body : "x".repeat(bodyBytes),
    })),
    steps: spec.steps.map(toStep),
  };
}

function toStep(fields: Fields): Step {
  const verb = Object.keys(VERBS).find((name) => fields[name] !== undefined) ?? "";
  const given = fields[verb] as Fields;
  const { [verb]: _, ...timing } = fields;
  const action: Fields = { ...given, verb };
  if (verb === "apply") action["manifests"] = (given["manifests"] as readonly unknown[]).map(toSource);
  if (verb === "repeat") action["steps"] = (given["steps"] as readonly Fields[]).map(toStep);
  if (verb === "mix") action["of"] = (given["of"] as readonly Fields[]).map(toStep);
  return { ...(timing as unknown as Omit<Step, "action">), action: action as unknown as Action };
}

const toSource = (given: unknown): ManifestSource => {
  const fields = given as Fields;
  return typeof fields["file"] === "string" ? { file: fields["file"] } : { object: fields };
};
