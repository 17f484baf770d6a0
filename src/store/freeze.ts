/** Freezes `value` and everything below it. What is frozen already is taken to be so all the way down. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  if (Array.isArray(value)) for (const item of value) deepFreeze(item);
  // Key by key: Object.values of thousands of keys takes several times as long.
  else for (const key of Object.keys(value)) deepFreeze(value[key as keyof T]);
  return value;
}
