// Which requests may be sent again when the endpoint dies before its answer (RFC 9110, 9.2): in HTTP mode those that are idempotent; in
// L4, where the first bytes of a connection are looked at, whole requests that are safe, so that what is no HTTP is never repeated.
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
const IDEMPOTENT: ReadonlySet<string> = new Set([...SAFE, "PUT", "DELETE"]);
const LONGEST_METHOD = 8;
const HAS_MORE = /\r\n(?:content-length|transfer-encoding|upgrade):/i;
const END_OF_HEAD = Buffer.from("\r\n\r\n");

export const isIdempotentMethod = (method: string): boolean => IDEMPOTENT.has(method);

/** Whether `chunk` is one whole request without a body, of a method that changes nothing. */
export function isSafeRequest(chunk: Buffer): boolean {
  // G, H, O or T: all but a glance is saved for other protocols.
  const first = chunk[0];
  if (first !== 71 && first !== 72 && first !== 79 && first !== 84) return false;
  const space = chunk.indexOf(32);
  if (space < 0 || space > LONGEST_METHOD || !SAFE.has(chunk.toString("latin1", 0, space))) return false;
  if (chunk.indexOf(END_OF_HEAD) !== chunk.length - END_OF_HEAD.length) return false;
  const text = chunk.toString("latin1");
  return / HTTP\/1\.[01]$/.test(text.slice(0, text.indexOf("\r\n"))) && !HAS_MORE.test(text);
}
