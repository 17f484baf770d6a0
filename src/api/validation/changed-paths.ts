// What an update that is refused would have changed: the part of the message after Kubernetes' sentence.
import { isDeepStrictEqual } from "node:util";

/** The deepest fields that differ, as `- path: before` and `+ path: after`. */
export function changedPaths(now: unknown, before: unknown, path: string): string[] {
  if (isDeepStrictEqual(now, before)) return [];
  if (isRecord(now) && isRecord(before) && Array.isArray(now) === Array.isArray(before)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(now)]);
    return [...keys].flatMap((key) =>
      changedPaths(now[key], before[key], Array.isArray(now) ? `${path}[${key}]` : `${path}.${key}`),
    );
  }
  return [
    ...(before === undefined ? [] : [`- ${path}: ${JSON.stringify(before)}`]),
    ...(now === undefined ? [] : [`+ ${path}: ${JSON.stringify(now)}`]),
  ];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;
