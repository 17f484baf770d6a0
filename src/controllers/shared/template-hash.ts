// What two pod templates have in common, and what is named after one. Two are the same when they differ in nothing but the
// pod-template-hash label; the hash only makes names, so ours need not be Go's, but must never change for a given template.
import type { PodTemplateSpec } from "../../api/generated/types.ts";
import { POD_TEMPLATE_HASH } from "../../api/names.ts";

export function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  return canonical(withoutHash(a)) === canonical(withoutHash(b));
}

/** `56f66697cc`: of the template and the number of names that were taken already. */
export function templateHash(template: unknown, collisionCount = 0): string {
  return safeEncode(String(fnv1a(`${canonical(template)}#${collisionCount}`)));
}

export function withoutHash(template: PodTemplateSpec | undefined): unknown {
  if (!template?.metadata?.labels?.[POD_TEMPLATE_HASH]) return template;
  const { [POD_TEMPLATE_HASH]: _hash, ...labels } = template.metadata.labels;
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** JSON with sorted keys and without what is empty: Kubernetes' semantic equality takes nil and empty for the same. */
export function canonical(value: unknown): string {
  return JSON.stringify(ordered(value)) ?? "";
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.length > 0 ? value.map((item) => ordered(item) ?? null) : undefined;
  if (typeof value !== "object" || value === null) return value ?? undefined;
  const entries = Object.entries(value)
    .map(([key, item]) => [key, ordered(item)] as const)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

// No vowels and nothing that looks like another letter: names that spell nothing (apimachinery's rand package).
const SAFE = "bcdfghjklmnpqrstvwxz2456789";
const safeEncode = (text: string) => [...Buffer.from(text)].map((byte) => SAFE[byte % SAFE.length]).join("");
