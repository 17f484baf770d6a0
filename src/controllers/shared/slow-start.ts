/**
 * Calls `start(index)` with 1, 2, 4 … at once until `total` were started; stops after a round with failures, so that a hopeless template
 * (quota, a broken webhook) costs one refused request and not five hundred. Resolves to the errors.
 */
export async function slowStart(
  total: number,
  start: (index: number) => Promise<unknown>,
): Promise<unknown[]> {
  let started = 0;
  for (let size = 1; started < total; size *= 2) {
    const round = Math.min(size, total - started);
    const errors = await errorsOf(Array.from({ length: round }, (_, index) => start(started + index)));
    if (errors.length > 0) return errors;
    started += round;
  }
  return [];
}

/** Waits for all, and resolves to why those failed that did. */
export async function errorsOf(running: readonly Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(running);
  return results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
}
