// The annotation in which `kubectl apply` keeps what it applied last, as server-side apply treats it: kubectl that applies server-side what it
// applied client-side before owns what the annotation says, and the annotation follows what it applies, so that client-side apply can go on.
// Source of the rules: apimachinery's lastAppliedManager and lastAppliedUpdater.
import type { KubeObject } from "../object.ts";
import { isObject, type JsonObject } from "../own.ts";
import { ANNOTATIONS_BYTES, annotationsBytes } from "../validation/object-meta.ts";

export const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

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
  const fits = annotationsBytes(annotations) <= ANNOTATIONS_BYTES;
  return { ...object, metadata: { ...object.metadata, annotations: fits ? annotations : others } };
}

/** As kubectl writes it: sorted keys, and a line. */
function textOf(applied: KubeObject): string {
  const { managedFields: _tracked, annotations, ...metadata } = applied.metadata;
  const { [LAST_APPLIED]: _before, ...others } = annotations ?? {};
  const stated = { ...applied, metadata: annotations ? { ...metadata, annotations: others } : metadata };
  return `${JSON.stringify(stated, sortKeys)}\n`;
}

const sortKeys = (_key: string, value: unknown): unknown =>
  isObject(value)
    ? Object.fromEntries(
        Object.keys(value)
          .sort()
          .map((key) => [key, (value as JsonObject)[key]]),
      )
    : value;
