/** A span as Go's time.Duration prints it: `500ms`, `10s`, `1m20s`, `5m0s`, `1h0m0s`. */
export function goDuration(spanMs: number): string {
  if (spanMs < 1000) return spanMs === 0 ? "0s" : `${Number(spanMs.toFixed(6))}ms`;
  const seconds = Math.floor(spanMs / 1000);
  const fraction = spanMs % 1000;
  const tail = `${Number((seconds % 60) + fraction / 1000)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return tail;
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${minutes}m${tail}` : `${hours}h${minutes % 60}m${tail}`;
}
