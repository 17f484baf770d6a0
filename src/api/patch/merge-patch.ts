// JSON Merge Patch (RFC 7386): null removes, objects merge, anything else replaces.
import { isObject, type JsonObject, setOwn } from "../own.ts";

/** The patched document. Neither argument is changed; the result may share parts with both. */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: JsonObject = isObject(document) ? shallowCopy(document) : {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) delete merged[key];
    else setOwn(merged, key, applyMergePatch(Object.hasOwn(merged, key) ? merged[key] : undefined, value));
  }
  return merged;
}

function shallowCopy(value: JsonObject): JsonObject {
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) setOwn(copy, key, value[key]);
  return copy;
}
