// One stream of requests, open loop: each is sent when it is due, whether or not earlier ones have been answered. A machine that is too slow
// falls behind, which the records show; it never sends faster afterwards than it can while answers are read.
import http, { type Agent, type ClientRequest, type IncomingMessage } from "node:http";
import https from "node:https";
import { preciseNow, type StreamSettings } from "./protocol.ts";
import { createRecords, type Records } from "./records.ts";

const TICK_MS = 2;
// So long may be spent on sending before answers are read again.
const BURST_MS = 8;
// Beyond this nothing more is learned, and this machine would run out of files.
const MOST_OPEN = 8_000;

export interface Stream {
  readonly records: Records;
  /** Sends no more; resolves when every request is answered or has failed. */
  stop(): Promise<void>;
}

export function sendStream(settings: StreamSettings, startedAt: number): Stream {
  const records = createRecords(settings.name, settings.rate, startedAt);
  const isKept = settings.connections === "kept";
  const { request, Agent: AgentOf } = settings.url.startsWith("https:") ? https : http;
  const agent: Agent | false = isKept ? new AgentOf({ keepAlive: true, scheduling: "fifo" }) : false;
  let open = 0;
  let isStopped = false;
  let finish: () => void = () => {};

  const send = () => {
    const index = records.begin(preciseNow());
    open++;
    let isOver = false;
    const over = (act: () => void) => {
      if (isOver) return;
      isOver = true;
      open--;
      act();
      if (isStopped && open === 0) finish();
    };
    const sent = request(settings.url, {
      agent,
      method: settings.method,
      headers: headersOf(settings),
      timeout: settings.timeout,
      ...({ rejectUnauthorized: false } as object),
    });
    const progress = watchOver(sent, settings.timeout);
    sent.once("response", (response) => {
      progress.answering = true;
      response.resume();
      response.once("end", () => {
        progress.end();
        over(() => settle(records, index, response, settings));
      });
      response.once("error", () => over(() => records.fail(index, "cut off in the answer")));
    });
    sent.once("error", (error: NodeJS.ErrnoException) => {
      progress.end();
      over(() => records.fail(index, causeOf(error, progress), { refused: isRefused(error, progress) }));
    });
    sent.end(settings.body || undefined);
  };

  const tick = () => {
    const now = preciseNow();
    const due = ((now - startedAt) / 1_000) * settings.rate;
    while (records.sent < due && open < MOST_OPEN && preciseNow() - now < BURST_MS) send();
  };
  const timer = setInterval(tick, TICK_MS);
  return {
    records,
    async stop() {
      clearInterval(timer);
      isStopped = true;
      if (open > 0)
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      if (agent) agent.destroy();
    },
  };
}

const headersOf = ({ headers, body, connections }: StreamSettings) => ({
  ...headers,
  ...(connections === "new" ? { connection: "close" } : {}),
  ...(body ? { "content-length": String(Buffer.byteLength(body)) } : {}),
});

interface Progress {
  connected: boolean;
  reused: boolean;
  answering: boolean;
  isLate: boolean;
  end(): void;
}

function watchOver(request: ClientRequest, timeoutMs: number): Progress {
  // Not only silence: a connection that never comes about has to end as well.
  const timer = setTimeout(() => {
    progress.isLate = true;
    request.destroy(new Error("late"));
  }, timeoutMs);
  const progress: Progress = {
    connected: false,
    reused: false,
    answering: false,
    isLate: false,
    end: () => clearTimeout(timer),
  };
  request.once("socket", (socket) => {
    progress.reused = request.reusedSocket;
    progress.connected = !socket.connecting;
    if (socket.connecting)
      socket.once("connect", () => {
        progress.connected = true;
      });
  });
  return progress;
}

function causeOf(error: NodeJS.ErrnoException, progress: Progress): string {
  const { reused, answering, isLate } = progress;
  const code = error.code ?? error.message;
  if (isLate) return progress.connected ? "no answer in time" : "no connection in time";
  if (isRefused(error, progress))
    return code === "EADDRNOTAVAIL" ? "no free port left on this machine" : `connect: ${code}`;
  if (answering) return "cut off in the answer";
  return reused ? `${code} on a kept-alive connection` : `${code} before the answer`;
}

/** A connection that was made and reset before this process heard of it was not refused. */
const isRefused = ({ code }: NodeJS.ErrnoException, { connected }: Progress): boolean =>
  !connected && code !== "ECONNRESET" && code !== "EPIPE";

function settle(
  records: Records,
  index: number,
  response: IncomingMessage,
  { status }: StreamSettings,
): void {
  const code = response.statusCode ?? 0;
  const isServed = status.length > 0 ? status.includes(code) : code >= 200 && code < 400;
  const pod = response.headers["x-pod-name"];
  if (!response.complete) records.fail(index, "cut off in the answer");
  else if (!isServed) records.fail(index, `HTTP ${code}`);
  else records.serve(index, preciseNow(), typeof pod === "string" ? pod : undefined);
}
