// Which objects a verb is about: `TYPE[,TYPE] [NAME…]`, `TYPE/NAME …`, `-f FILE`, `-l SELECTOR`, `--all`.
import type { KubeObject } from "../api/object.ts";
import type { ServedResource } from "../client/discovery.ts";
import { type Invocation, UsageError } from "./command.ts";
import { readManifests } from "./manifest-files.ts";
import type { Session } from "./session.ts";

/** One object, or (without a name) all of a type that the selectors let through. */
export interface Selected {
  readonly type: ServedResource;
  /** Absent: all namespaces, or a type without them. */
  readonly namespace?: string;
  readonly name?: string;
}

export async function selectedObjects(session: Session, invocation: Invocation): Promise<Selected[]> {
  const { options } = invocation;
  const files = options["filename"];
  if (files !== undefined) {
    if (invocation.arguments.length > 0)
      throw new UsageError(
        "when paths or stdin is provided as input, you may not specify resource arguments as well",
      );
    const manifests = await readManifests(files as readonly string[], session);
    return manifests.map(({ type, namespace, object }) => ({
      type,
      name: object.metadata.name,
      ...(namespace ? { namespace } : {}),
    }));
  }
  return parseSelected(session, invocation.arguments);
}

export function parseSelected(session: Session, words: readonly string[]): Selected[] {
  const [first, ...names] = words;
  if (first === undefined)
    throw new UsageError("you must specify the type of resource, such as pods or deployment/web");
  const place = (type: ServedResource) =>
    type.resource.namespaced && !session.allNamespaces ? { namespace: session.namespace } : {};
  if (words.some((word) => word.includes("/")))
    return words.map((word) => {
      const [typeText = "", name = "", ...more] = word.split("/");
      if (!word.includes("/"))
        throw new UsageError(
          `there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (${word})`,
        );
      if (!typeText || !name || more.length > 0)
        throw new UsageError("arguments in resource/name form must have a single resource and name");
      const [type] = session.types.resolve(typeText);
      return { type: type as ServedResource, name, ...place(type as ServedResource) };
    });
  const types = session.types.resolve(first);
  if (names.length > 0 && session.allNamespaces)
    throw new UsageError("a resource cannot be retrieved by name across all namespaces");
  return types.flatMap((type): Selected[] =>
    names.length === 0 ? [{ type, ...place(type) }] : names.map((name) => ({ type, name, ...place(type) })),
  );
}

/** The objects themselves; what is named and missing is thrown. */
export async function readSelected(
  { client }: Session,
  selected: readonly Selected[],
  { options }: Invocation,
): Promise<{ type: ServedResource; object: KubeObject }[]> {
  const found = await Promise.all(
    selected.map(async ({ type, namespace, name }) => {
      if (name !== undefined) return [{ type, object: await client.get(type.resource, { namespace, name }) }];
      const { items } = await client.list(type.resource, {
        ...(namespace ? { namespace } : {}),
        ...selectorsOf(options),
      });
      return items.map((object) => ({ type, object }));
    }),
  );
  return found.flat();
}

export function selectorsOf(options: Invocation["options"]): {
  labelSelector?: string;
  fieldSelector?: string;
} {
  const { selector, fieldSelector } = options;
  return {
    ...(typeof selector === "string" ? { labelSelector: selector } : {}),
    ...(typeof fieldSelector === "string" ? { fieldSelector } : {}),
  };
}

/** The same by name: what `-l`, `--field-selector` and `--all` stand for is looked up. A type alone is refused. */
export async function namedObjects(
  session: Session,
  invocation: Invocation,
): Promise<(Selected & { readonly name: string })[]> {
  const { all, selector, fieldSelector } = invocation.options;
  const selected = await selectedObjects(session, invocation);
  const isNamed = (one: Selected): one is Selected & { name: string } => one.name !== undefined;
  if (selected.every(isNamed)) return selected;
  if (all !== true && selector === undefined && fieldSelector === undefined)
    throw new UsageError(
      "resource(s) were provided, but no name was specified; give names, -l SELECTOR or --all",
    );
  const found = await readSelected(session, selected, invocation);
  return found.map(({ type, object: { metadata } }) => ({
    type,
    name: metadata.name,
    ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
  }));
}
