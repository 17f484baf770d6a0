// Cron schedules as CronJobs write them: five fields, `@daily` and the like, `@every 90s`; in any time zone. The words for what is wrong are
// those of the Go library that Kubernetes uses. croner finds dates in the calendar; what clocks do when summer time begins and ends is
// decided here: a time of day that is skipped does not run that day, one that comes twice runs twice, as with that library.
import { Cron } from "croner";

export interface Schedule {
  /** The first time after `afterMs`, both in ms since the epoch; undefined where there is none (February 30). */
  next(afterMs: number): number | undefined;
}

interface Field {
  readonly low: number;
  readonly high: number;
  readonly names?: readonly string[];
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: readonly Field[] = [
  { low: 0, high: 59 },
  { low: 0, high: 23 },
  { low: 1, high: 31 },
  { low: 1, high: 12, names: MONTHS },
  { low: 0, high: 6, names: DAYS },
];
const DESCRIPTORS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** Throws an Error that says what is wrong. `timeZone` must be one that zoneExists knows. */
export function parseSchedule(text: string, timeZone = "UTC"): Schedule {
  const spec = text.replace(/^(?:CRON_)?TZ=\S*\s*/, "").trim();
  if (spec === "") throw new Error("empty spec string");
  if (spec.startsWith("@every ")) return everySchedule(spec);
  if (spec.startsWith("@") && !Object.hasOwn(DESCRIPTORS, spec))
    throw new Error(`unrecognized descriptor: ${spec}`);
  const fields = (DESCRIPTORS[spec] ?? spec).split(/\s+/);
  if (fields.length !== FIELDS.length)
    throw new Error(`expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`);
  const values = fields.map((field, index) => parseField(field, FIELDS[index] as Field));
  // In UTC, so that croner sees a calendar without gaps: its dates are read as times of day in the zone.
  const calendar = new Cron(values.join(" "), { timezone: "Etc/UTC", paused: true });
  return zonedSchedule((wallMs) => calendar.nextRun(new Date(wallMs))?.getTime(), timeZone);
}

/** The values that a field allows, as croner takes them: `*` or a list of numbers. */
function parseField(text: string, field: Field): string {
  const parts = text.split(",").map((part) => parseRange(part, field));
  if (parts.includes("*")) return "*";
  return [...new Set(parts.flat() as number[])].sort((a, b) => a - b).join(",");
}

function parseRange(text: string, { low, high, names }: Field): "*" | number[] {
  const [range = "", step, ...rest] = text.split("/");
  const [from = "", to, ...more] = range.split("-");
  if (more.length > 0) throw new Error(`too many hyphens: ${text}`);
  const isStar = from === "*" || from === "?";
  const start = isStar ? low : parseNumber(from, names);
  // A number with a step means: from there to the end.
  const single = step === undefined ? start : high;
  const end = isStar ? high : to === undefined ? single : parseNumber(to, names);
  if (rest.length > 0) throw new Error(`too many slashes: ${text}`);
  const stride = step === undefined ? 1 : parseNumber(step);
  if (start < low) throw new Error(`beginning of range (${start}) below minimum (${low}): ${text}`);
  if (end > high) throw new Error(`end of range (${end}) above maximum (${high}): ${text}`);
  if (start > end) throw new Error(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (stride === 0) throw new Error(`step of range should be a positive number: ${text}`);
  if (isStar && stride === 1) return "*";
  const values: number[] = [];
  for (let value = start; value <= end; value += stride) values.push(value);
  return values;
}

function parseNumber(text: string, names: readonly string[] = []): number {
  const at = names.indexOf(text.toLowerCase());
  if (at >= 0) return names === MONTHS ? at + 1 : at;
  if (!/^[+-]?\d+$/.test(text))
    throw new Error(
      `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  if (Number(text) < 0) throw new Error(`negative number (${Number(text)}) not allowed: ${text}`);
  return Number(text);
}

const UNITS_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  ns: 1e-6,
};

function everySchedule(spec: string): Schedule {
  const text = spec.slice("@every ".length);
  if (!/^[+-]?(?:\d+(?:\.\d*)?(?:h|ms|m|s|us|ns))+$/.test(text))
    throw new Error(`failed to parse duration ${spec}: time: invalid duration ${JSON.stringify(text)}`);
  const sum = [...text.matchAll(/([\d.]+)(h|ms|m|s|us|ns)/g)].reduce(
    (total, [, count, unit]) => total + Number(count) * (UNITS_MS[unit ?? ""] ?? 0),
    0,
  );
  // Whole seconds, at least one.
  const everyMs = Math.max(1000, Math.floor((text.startsWith("-") ? 0 : sum) / 1000) * 1000);
  return { next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + everyMs };
}

/** How far a zone's clocks are ahead of UTC at a moment, in ms. */
type OffsetAt = (atMs: number) => number;

/**
 * `nextWall` searches a calendar without summer time. Between two changes of the clock the zone's time of day is UTC plus a constant, so
 * each such stretch is searched by itself. Worked example: 2:30 daily in New York, from March 8, 2026, 1:00: at 1:00 the offset is -5 h, which
 * makes 2:30 the instant 7:30 UTC; but at 7:00 UTC the clock jumps to 3:00, so the search begins again there, with -4 h: March 9.
 */
function zonedSchedule(nextWall: (wallMs: number) => number | undefined, timeZone: string): Schedule {
  const offsetAt = zoneOffset(timeZone);
  return {
    next(afterMs) {
      let fromMs = afterMs;
      let offset = offsetAt(afterMs);
      for (;;) {
        const wall = nextWall(fromMs + offset);
        if (wall === undefined) return undefined;
        const change = nextChange(offsetAt, { fromMs, untilMs: wall - offset, offset });
        if (change === undefined) return wall - offset;
        // What falls on the very moment of the change counts.
        fromMs = change - 1;
        offset = offsetAt(change);
      }
    },
  };
}

// No zone changes its clock twice within a week.
const SAMPLE_MS = 7 * 24 * 3_600_000;

/** The first moment after `fromMs` and up to `untilMs` at which the zone's offset is not `offset`. */
function nextChange(
  offsetAt: OffsetAt,
  { fromMs, untilMs, offset }: { fromMs: number; untilMs: number; offset: number },
): number | undefined {
  let low = fromMs;
  let high = Math.min(low + SAMPLE_MS, untilMs);
  while (offsetAt(high) === offset) {
    if (high >= untilMs) return undefined;
    low = high;
    high = Math.min(low + SAMPLE_MS, untilMs);
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle) === offset) low = middle;
    else high = middle;
  }
  return high;
}

/** `timeZone` must be one that zoneExists knows. */
export function zoneOffset(timeZone: string): OffsetAt {
  if (timeZone === "UTC") return () => 0;
  const format = formatOf(timeZone);
  return (atMs) => {
    const parts = format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = Object.fromEntries(parts);
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000;
  };
}

export function zoneExists(timeZone: string): boolean {
  try {
    formatOf(timeZone);
    // Offsets such as +05:00, which newer engines take for zones, are none.
    return !/^[+-]/.test(timeZone);
  } catch {
    return false;
  }
}

const formatOf = (timeZone: string) =>
  new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
