// The annotation in which `kubectl apply` keeps what it applied last, as server-side apply treats it: kubectl that applies server-side what it
// applied client-side before owns what the annotation says, and the annotation follows what it applies, so that client-side apply can go on.
// Source of the rules: apimachinery's lastAppliedManager and lastAppliedUpdater.
import { LAST_APPLIED } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { isObject } from "../own.ts";
import { annotationsFit } from "../validation/object-meta.ts";

/** The manager that the annotation belongs to. */
export const KUBECTL = "kubectl";

/** What the annotation says was applied; undefined without one, or with one that is no object. */
export function lastAppliedOf(live: KubeObject): KubeObject | undefined {
  const text = live.metadata.annotations?.[LAST_APPLIED];
  if (!text) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && isObject(value["metadata"]) ? (value as unknown as KubeObject) : undefined;
  } catch {
    return undefined;
  }
}

/** The object with an annotation that says what has just been applied to it, where it had one; without it, should it be too large. */
export function withLastApplied(object: KubeObject, applied: KubeObject): KubeObject {
  const { [LAST_APPLIED]: before, ...others } = object.metadata.annotations ?? {};
  if (before === undefined) return object;
  const annotations = { ...others, [LAST_APPLIED]: textOf(applied) };
  const kept = annotationsFit(annotations) ? annotations : others;
  return { ...object, metadata: { ...object.metadata, annotations: kept } };
}

/** As kubectl writes it: sorted keys, and a line. */
function textOf(applied: KubeObject): string {
  const { managedFields: _tracked, annotations, ...metadata } = applied.metadata;
  const { [LAST_APPLIED]: _before, ...others } = annotations ?? {};
  const stated = { ...applied, metadata: annotations ? { ...metadata, annotations: others } : metadata };
  return `${JSON.stringify(stated, sortKeys)}\n`;
}

const sortKeys = (_key: string, value: unknown): unknown =>
  isObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
