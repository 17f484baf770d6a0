// How sure an availability is. A hundred requests without a failure say little; a million say much.

/** One-sided 95 %. */
const Z = 1.6449;

export interface Availability {
  /** Served of sent, in percent. */
  readonly percent: number;
  /** 99.9 % are 3 nines. Infinite where nothing failed. */
  readonly nines: number;
  /** With 95 % confidence it is at least this, in percent. */
  readonly atLeast: number;
  readonly ninesAtLeast: number;
}

/**
 * Of what is decided: a request that has neither been served nor failed says nothing.
 *
 *     0 of 3,000 failed     100 %, at least 99.9 % (3/N)
 *     3 of 3,000 failed     99.9 %, at least 99.76 % (Wilson's score interval)
 */
export function availabilityOf(served: number, failed: number): Availability | undefined {
  const all = served + failed;
  if (all === 0) return undefined;
  const share = failed / all;
  // Rounding must not lead the bound past what was measured.
  const most = Math.min(failed === 0 ? 3 / all : Math.max(wilsonUpper(share, all), share), 1);
  return {
    percent: (1 - share) * 100,
    nines: share === 0 ? Number.POSITIVE_INFINITY : -Math.log10(share),
    atLeast: (1 - most) * 100,
    ninesAtLeast: -Math.log10(most),
  };
}

function wilsonUpper(share: number, all: number): number {
  const square = Z * Z;
  const middle = share + square / (2 * all);
  const spread = Z * Math.sqrt((share * (1 - share)) / all + square / (4 * all * all));
  return (middle + spread) / (1 + square / all);
}
