// The program dist/traffic.js: sends a drill's traffic, apart from the drill's own work so that neither slows the other down. Ends when the
// drill does.
import { type FromTraffic, preciseNow, type ToTraffic } from "./protocol.ts";
import { type Stream, sendStream } from "./send-stream.ts";
import { summarise } from "./summarise.ts";

const COUNT_EVERY_MS = 200;

const streams: Stream[] = [];
const tell = (message: FromTraffic, then?: () => void) =>
  process.send?.(message, undefined, {}, () => then?.());

// Ctrl-C reaches the whole group; the drill decides what it means.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit(0));
process.on("message", (message: ToTraffic) => {
  if ("start" in message) start(message.start);
  else void stop();
});

let startedAt = 0;
function start(settings: Extract<ToTraffic, { start: unknown }>["start"]): void {
  startedAt = preciseNow();
  for (const each of settings) streams.push(sendStream(each, startedAt));
  tell({ startedAt });
  setInterval(() => tell({ counts: counts() }), COUNT_EVERY_MS).unref();
}

const counts = () => {
  const sum = (name: "sent" | "served" | "failed") =>
    streams.reduce((all, { records }) => all + records[name], 0);
  return { sent: sum("sent"), served: sum("served"), failed: sum("failed") };
};

async function stop(): Promise<void> {
  const endedAt = preciseNow();
  await Promise.all(streams.map((stream) => stream.stop()));
  const all = streams.map(({ records }) => records);
  const done = {
    startedAt,
    endedAt,
    total: summarise(all, "all", endedAt),
    streams: all.map((records) => summarise([records], records.name, endedAt)),
  };
  tell({ done }, () => process.disconnect());
}
