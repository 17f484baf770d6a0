// A set of field paths in the very form in which managedFields keeps it (FieldsV1): nested objects whose keys are path
// elements: `f:name` a field, `k:{"name":"a"}` a list's item by its keys, `v:"a"` a set's item by its value. An element is in
// the set itself when its object is empty or has ".". Sets are never changed; operations share what stays the same.
//
//   {"f:spec":{"f:replicas":{},"f:template":{".":{},"f:metadata":{}}}}
//   = { spec.replicas, spec.template, spec.template.metadata }

export interface FieldSet {
  readonly [element: string]: FieldSet;
}

const SELF = ".";

/** The set of nothing. As the value of an element inside a set, the same form means the element itself. */
export const NO_FIELDS: FieldSet = Object.freeze({});
/** What stands at an element that is in the set and has nothing below it. */
export const LEAF: FieldSet = NO_FIELDS;

export function isEmptySet(set: FieldSet): boolean {
  for (const _element in set) return false;
  return true;
}

/** Whether the element at which `node` stands is in the set itself. */
export function isMember(node: FieldSet): boolean {
  return Object.hasOwn(node, SELF) || isEmptySet(node);
}

/** The elements below a node. */
export function elementsOf(node: FieldSet): string[] {
  return Object.keys(node).filter((element) => element !== SELF);
}

/** A node from whether it is in the set itself and what is below it; undefined when neither. */
export function nodeOf(member: boolean, below: FieldSet | undefined): FieldSet | undefined {
  if (!below || isEmptySet(below)) return member ? LEAF : undefined;
  return member ? { [SELF]: LEAF, ...below } : below;
}

/** All paths of both. Returns `a` itself when `b` adds nothing. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  if (isEmptySet(a)) return b;
  let all: Record<string, FieldSet> | undefined;
  for (const element of Object.keys(b)) {
    const theirs = b[element] as FieldSet;
    const ours = Object.hasOwn(a, element) ? a[element] : undefined;
    const node = ours ? unionOfNodes(ours, theirs) : theirs;
    if (node === ours) continue;
    all ??= { ...a };
    all[element] = node;
  }
  return all ?? a;
}

function unionOfNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(b)) return isMember(a) ? a : { [SELF]: LEAF, ...a };
  if (isEmptySet(a)) return isMember(b) ? b : { [SELF]: LEAF, ...b };
  return union(a, b);
}

/** The paths of `a` that are not in `b`. What is below a path of `b` stays. Returns `a` itself when nothing goes. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a) || isEmptySet(b)) return a;
  let left: Record<string, FieldSet> | undefined;
  for (const element of Object.keys(b)) {
    if (element === SELF || !Object.hasOwn(a, element)) continue;
    const ours = a[element] as FieldSet;
    const theirs = b[element] as FieldSet;
    const node = differenceOfNodes(ours, theirs);
    if (node === ours) continue;
    left ??= { ...a };
    if (node) left[element] = node;
    else delete left[element];
  }
  return left ?? a;
}

function differenceOfNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  const stays = isMember(a) && !isMember(b);
  if (isEmptySet(a)) return stays ? a : undefined;
  const below = difference(a, b);
  if (stays === isMember(a)) {
    if (below === a) return a;
    return isEmptySet(below) ? undefined : below;
  }
  const { [SELF]: _self, ...rest } = below;
  return isEmptySet(rest) ? undefined : rest;
}

/** The paths that are in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const common: Record<string, FieldSet> = {};
  for (const element of elementsOf(a)) {
    if (!Object.hasOwn(b, element)) continue;
    const ours = a[element] as FieldSet;
    const theirs = b[element] as FieldSet;
    const node = nodeOf(isMember(ours) && isMember(theirs), intersection(ours, theirs));
    if (node) common[element] = node;
  }
  return common;
}

/** True when both hold the same paths. */
export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  const elements = Object.keys(a);
  if (elements.length !== Object.keys(b).length) return false;
  return elements.every(
    (element) => Object.hasOwn(b, element) && equalSets(a[element] as FieldSet, b[element] as FieldSet),
  );
}

/** What is in the set below one element; the element itself is not counted. */
export function below(set: FieldSet, element: string): FieldSet {
  return Object.hasOwn(set, element) ? (set[element] as FieldSet) : NO_FIELDS;
}

/** Every path of the set, as structured-merge-diff writes it: `.spec.containers[name="a"].image`. */
export function pathsOf(set: FieldSet, prefix = ""): string[] {
  return elementsOf(set).flatMap((element) => {
    const node = set[element] as FieldSet;
    const path = prefix + elementText(element);
    return [...(isMember(node) ? [path] : []), ...pathsOf(node, path)];
  });
}

/** A path element as structured-merge-diff writes it: `.name`, `[name="a"]`. */
export function elementText(element: string): string {
  const text = element.slice(2);
  if (element.startsWith("f:")) return `.${text}`;
  if (element.startsWith("v:")) return `[=${text}]`;
  if (!element.startsWith("k:")) return `[${text}]`;
  const keys = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",")}]`;
}

/**
 * The set with its elements in the order in which Kubernetes writes them: ".", fields, keys, values, each by name. Returns the set itself when
 * they stand so.
 */
export function sortedSet(set: FieldSet): FieldSet {
  const elements = Object.keys(set);
  const sorted: Record<string, FieldSet> = {};
  let isSorted = true;
  for (const [index, element] of [...elements].sort().entries()) {
    const node = set[element] as FieldSet;
    sorted[element] = sortedSet(node);
    isSorted &&= sorted[element] === node && elements[index] === element;
  }
  return isSorted ? set : sorted;
}

/** Turns what a client sent as fieldsV1 into a set; anything that is no nested object counts as nothing. */
export function parseFieldSet(value: unknown): FieldSet {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return NO_FIELDS;
  return value as FieldSet;
}
