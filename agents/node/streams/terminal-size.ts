// What a client says of its terminal's size: JSON texts `{"Width":80,"Height":24}`, of which the last counts.
import type { TerminalSize } from "./host.ts";

export interface TerminalSizes {
  /** The next piece of the stream of sizes; a size may come in two pieces. */
  take(text: string): void;
  /** The one who is told, at once of the last size heard and then of each. */
  tell(listener: (size: TerminalSize) => void): void;
}

// A size has some thirty; what does not end by then is none.
const LONGEST = 1024;

export function createTerminalSizes(): TerminalSizes {
  let rest = "";
  let last: TerminalSize | undefined;
  let listener: ((size: TerminalSize) => void) | undefined;
  return {
    take(text) {
      const pieces = `${rest}${text}`.split(/(?<=\})/);
      rest = pieces.at(-1)?.endsWith("}") ? "" : (pieces.pop() ?? "");
      if (rest.length > LONGEST) rest = "";
      const size = pieces.map(parseSize).findLast((each) => each !== undefined);
      if (!size) return;
      last = size;
      listener?.(size);
    },
    tell(told) {
      listener = told;
      if (last) told(last);
    },
  };
}

const MOST = 65_535;
const isSize = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) <= MOST;

function parseSize(text: string): TerminalSize | undefined {
  try {
    const { Width, Height } = JSON.parse(text) as Record<string, unknown>;
    return isSize(Width) && isSize(Height) ? { columns: Width, rows: Height } : undefined;
  } catch {
    return undefined;
  }
}
