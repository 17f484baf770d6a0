// Numbers as a report writes them.

/** `0.42 ms`, `12 ms`, `1.25 s`. */
export function inMs(ms: number): string {
  if (!Number.isFinite(ms)) return "never";
  if (ms >= 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`;
  return ms >= 10 || ms === 0 ? `${Math.round(ms)} ms` : `${ms.toFixed(2)} ms`;
}

/** As many digits as say something: `99.9987 %`. Never rounded up to 100. */
export function inPercent(value: number): string {
  if (value === 100 || value === 0) return `${value} %`;
  const digits = Math.max(2, Math.ceil(-Math.log10(Math.max(100 - value, 1e-9))) + 1);
  const scale = 10 ** digits;
  return `${Number((Math.floor(value * scale + 1e-6) / scale).toFixed(digits))} %`;
}

export const inCount = (value: number): string => value.toLocaleString("en-US");

/** Since the traffic began: `+1.234 s`. */
export const since = (at: number, startedAt: number): string => {
  const seconds = (at - startedAt) / 1_000;
  return `${seconds < 0 ? "-" : "+"}${Math.abs(seconds).toFixed(3)} s`;
};
