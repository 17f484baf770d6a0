// The annotations by which a Service says how its connections are balanced. Read by the proxy; what cannot be read is answered with a
// Warning when the Service is written, and counts as absent.
import { parseGoDuration } from "../base/duration.ts";
import { BALANCE, IDLE_TIMEOUT, MAX_CONNECTIONS } from "./names.ts";

/** `source-address`: a client's address decides, so that it meets the same endpoint for as long as that is there. */
export type BalanceMode = "round-robin" | "random" | "least-connections" | "source-address";
export const BALANCE_MODES: readonly BalanceMode[] = [
  "round-robin",
  "random",
  "least-connections",
  "source-address",
];

type Annotations = Readonly<Record<string, string>>;

export interface Balancing {
  readonly mode: BalanceMode;
  /** Connections (in HTTP mode: requests) that one endpoint takes at once; 0: any number. */
  readonly maxConnections: number;
  /** A connection on which nothing passes for so long is ended; 0: never. */
  readonly idleMs: number;
  /** What is wrong with the annotations, a sentence each. */
  readonly problems: readonly string[];
}

export function balancingOf({
  metadata,
}: {
  readonly metadata: { readonly annotations?: Annotations };
}): Balancing {
  const annotations = metadata.annotations ?? {};
  const problems: string[] = [];
  const read = <T>(name: string, parse: (text: string) => T | undefined, allowed: string): T | undefined => {
    const text = annotations[name];
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value === undefined)
      problems.push(`metadata.annotations[${name}]: ${JSON.stringify(text)} is ignored; allowed: ${allowed}`);
    return value;
  };
  const mode = read(BALANCE, (text) => BALANCE_MODES.find((one) => one === text), BALANCE_MODES.join(", "));
  const most = read(MAX_CONNECTIONS, parseCount, "a whole number, 1 or more");
  const idleMs = read(IDLE_TIMEOUT, parseGoDuration, "a duration such as 30s or 5m");
  return { mode: mode ?? "round-robin", maxConnections: most ?? 0, idleMs: idleMs ?? 0, problems };
}

const parseCount = (text: string) => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined);
