// The agent's log: one JSON line a message on standard output, which its supervisor sends to a file. A few lines of our
// own instead of pino, whose import costs more memory and start time than the rest of the agent's logging.
import type { Clock } from "../../src/base/clock.ts";
import type { Log, LogFields } from "../../src/base/log.ts";

export function createLineLog(clock: Clock, fields: LogFields = {}, write = writeOut): Log {
  const line = (level: string) => (own: LogFields, message: string) =>
    write(`${JSON.stringify({ time: new Date(clock.now()).toISOString(), level, ...fields, ...own, message })}\n`);
  return {
    debug: () => {},
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    child: (more) => createLineLog(clock, { ...fields, ...more }, write),
  };
}

const writeOut = (text: string) => void process.stdout.write(text);
