// Pure: reads the head of an HTTP/1 message as far as a proxy must understand it (RFC 9112), and leaves out of it what concerns one
// connection only. What two readers could understand differently is refused, so that no request can hide in another.

/** How a message's body ends: after so many bytes, or as one of the two below says. */
export type Framing = number;
export const CHUNKED: Framing = -1;
/** Responses only: with the connection. */
export const UNTIL_CLOSE: Framing = -2;

export interface RequestHead {
  readonly method: string;
  readonly target: string;
  /** As the Host header has it; "" where there is none. */
  readonly host: string;
  readonly isOld: boolean;
  readonly framing: Framing;
  /** The client wants no more after this one. */
  readonly close: boolean;
  readonly upgrade: boolean;
  readonly forwardedFor: string | undefined;
  /** For the endpoint: request line and headers, each with its line's end, without the empty line. */
  readonly forward: string;
}

export interface ResponseHead {
  readonly status: number;
  readonly framing: Framing;
  /** The endpoint takes no more after this one. */
  readonly close: boolean;
  /** Milliseconds that the endpoint keeps an idle connection; undefined: it does not say. */
  readonly keepAliveMs: number | undefined;
  readonly forward: string;
}

/** What is wrong with a head, and the status that says so. */
export interface BadHead {
  readonly bad: 400 | 501 | 505;
  readonly why: string;
}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~\x80-\xff]+) HTTP\/(\d)\.(\d)\r\n/;
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: [^\r\n]*)?\r\n/;
// A lone CR or LF, or another control character.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const BROKEN = /(?<!\r)\n|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** `text`: up to and with the last header's line end. */
export function parseRequestHead(text: string): RequestHead | BadHead {
  const line = REQUEST_LINE.exec(text);
  if (!line) return { bad: 400, why: "the request line cannot be read" };
  const [all, method = "", target = "", major, minor] = line;
  if (major !== "1") return { bad: 505, why: `HTTP/${major}.${minor} is not spoken here` };
  const fields = scanFields(text, all.length);
  if ("bad" in fields) return fields;
  const isOld = minor === "0";
  if (fields.coding !== undefined && (fields.length !== undefined || isOld))
    return { bad: 400, why: "the length is given in two ways, or in one that HTTP/1.0 does not have" };
  if (fields.coding !== undefined && fields.coding !== "chunked")
    return { bad: 501, why: `transfer-encoding ${fields.coding} is not known here` };
  const connection = fields.connection ?? "";
  return {
    method,
    target,
    host: fields.host ?? "",
    isOld,
    framing: fields.coding ? CHUNKED : (fields.length ?? 0),
    close: isOld || hasToken(connection, "close"),
    upgrade: fields.upgrade && hasToken(connection, "upgrade"),
    forwardedFor: fields.forwardedFor,
    forward: fields.kept(hasToken(connection, "upgrade")),
  };
}

/** The response to a request of `method`; undefined: it cannot be read. */
export function parseResponseHead(text: string, method: string): ResponseHead | undefined {
  const line = STATUS_LINE.exec(text);
  if (!line) return undefined;
  const status = Number(line[2]);
  const fields = scanFields(text, line[0].length);
  if ("bad" in fields) return undefined;
  const bodiless = method === "HEAD" || status === 204 || status === 304 || status < 200;
  const connection = fields.connection ?? "";
  const framing = bodiless ? 0 : responseFraming(fields);
  const hasTwoLengths = fields.coding !== undefined && fields.length !== undefined;
  const kept = fields.kept(status === 101);
  return {
    status,
    framing,
    close:
      framing === UNTIL_CLOSE ||
      hasToken(connection, "close") ||
      (line[1] === "0" && !hasToken(connection, "keep-alive")) ||
      hasTwoLengths,
    keepAliveMs: fields.keepAliveMs,
    // Section 6.3: the coding counts, and whoever passes it on takes the other away.
    forward: hasTwoLengths ? withoutFields(kept, CONTENT_LENGTH) : kept,
  };
}

const CONTENT_LENGTH: ReadonlySet<string> = new Set(["content-length"]);

const responseFraming = ({ coding, length }: Fields): Framing => {
  // Section 6.3: whatever is beneath, chunks that come last tell where it ends.
  if (coding !== undefined) return /(?:^|[ \t,])chunked$/.test(coding) ? CHUNKED : UNTIL_CLOSE;
  return length ?? UNTIL_CLOSE;
};

const hasToken = (list: string, token: string): boolean =>
  list !== "" && list.split(",").some((one) => one.trim() === token);

interface Fields {
  host?: string;
  /** In lower case. */
  connection?: string;
  coding?: string;
  length?: number;
  upgrade: boolean;
  keepAliveMs?: number;
  forwardedFor?: string;
  /** The text without what concerns this connection; with it where the connection is to become another protocol's. */
  kept(forUpgrade: boolean): string;
}

/** Reads the fields from `from` on. */
function scanFields(text: string, from: number): Fields | BadHead {
  if (BROKEN.test(text)) return { bad: 400, why: "a header has a character that it may not have" };
  const left: number[] = [];
  const fields: Fields = {
    upgrade: false,
    kept: (forUpgrade) =>
      forUpgrade || left.length === 0 ? text : without(text, left, fields.connection ?? ""),
  };
  for (let start = from; start < text.length; ) {
    // Folded lines, a blank before the colon and other characters that are in no name are read differently by different readers.
    NAME.lastIndex = start;
    if (!NAME.test(text)) return { bad: 400, why: "a header line cannot be read" };
    const colon = NAME.lastIndex - 1;
    const end = text.indexOf("\r\n", colon);
    if (INTERESTING.has(colon - start)) {
      const name = text.slice(start, colon).toLowerCase();
      const why = takeField(fields, name, valueBetween(text, colon + 1, end));
      if (why) return { bad: 400, why };
      if (HOP_BY_HOP.has(name)) left.push(start, end + 2);
    }
    start = end + 2;
  }
  return fields;
}

const NAME = /[!#$%&'*+.^_`|~0-9A-Za-z-]+:/y;

/** Without the blanks around it. String.trim would take more away than a server does: a length after a no-break space is none. */
function valueBetween(text: string, from: number, to: number): string {
  let [start, end] = [from, to];
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

const isBlank = (code: number): boolean => code === 32 || code === 9;

const HOP_BY_HOP: ReadonlySet<string> = new Set(["connection", "keep-alive", "proxy-connection"]);
// The lengths of the names below: others need not be looked at.
const INTERESTING: ReadonlySet<number> = new Set([4, 7, 10, 14, 15, 16, 17]);

/** Returns what is wrong with it. */
function takeField(fields: Fields, name: string, value: string): string | undefined {
  switch (name) {
    case "host":
      if (fields.host !== undefined) return "there is more than one host";
      fields.host = value;
      return undefined;
    case "connection":
      fields.connection = fields.connection
        ? `${fields.connection},${value.toLowerCase()}`
        : value.toLowerCase();
      return undefined;
    case "content-length": {
      const length = /^\d{1,15}$/.test(value) ? Number(value) : undefined;
      if (length === undefined || (fields.length !== undefined && fields.length !== length))
        return "the content-length cannot be read";
      fields.length = length;
      return undefined;
    }
    case "transfer-encoding":
      fields.coding = fields.coding ? `${fields.coding}, ${value.toLowerCase()}` : value.toLowerCase();
      return undefined;
    case "upgrade":
      fields.upgrade = true;
      return undefined;
    case "keep-alive": {
      const seconds = /timeout=(\d{1,6})/i.exec(value)?.[1];
      if (seconds) fields.keepAliveMs = Number(seconds) * 1000;
      return undefined;
    }
    case "x-forwarded-for":
      fields.forwardedFor = fields.forwardedFor ? `${fields.forwardedFor}, ${value}` : value;
      return undefined;
    default:
      return undefined;
  }
}

// Without these the endpoint would read something else than was read here.
const NEVER_LEFT_OUT: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "close",
  "keep-alive",
]);

/** `text` without the ranges `left`, and without the fields that the Connection header names. */
function without(text: string, left: readonly number[], connection: string): string {
  let kept = "";
  let from = 0;
  for (let index = 0; index < left.length; index += 2) {
    kept += text.slice(from, left[index]);
    from = left[index + 1] ?? from;
  }
  kept += text.slice(from);
  const named = connection.split(",").map((one) => one.trim());
  const unwanted = new Set(named.filter((name) => name !== "" && !NEVER_LEFT_OUT.has(name)));
  return unwanted.size > 0 ? withoutFields(kept, unwanted) : kept;
}

const nameOf = (line: string): string => line.slice(0, Math.max(line.indexOf(":"), 0)).toLowerCase();

/** The head without the fields of these names, given in lower case. One pass: a client may name as many as a head has room for. */
export const withoutFields = (head: string, names: ReadonlySet<string>): string =>
  head
    .split("\r\n")
    .filter((line, index) => index === 0 || !names.has(nameOf(line)))
    .join("\r\n");
