// One line that is written over and over while a drill runs, on a terminal; elsewhere nothing.
import type { WriteStream } from "node:tty";
import type { Progress } from "../drill/run-drill.ts";

export function drillProgress(out: WriteStream): { show(now: Progress): void; end(): void } {
  if (!out.isTTY) return { show() {}, end() {} };
  let isShown = false;
  return {
    show({ doing, traffic }) {
      isShown = true;
      out.write(`\r\u001b[K${progressLine(doing, traffic, Date.now()).slice(0, out.columns - 1)}`);
    },
    end() {
      if (isShown) out.write("\r\u001b[K");
      isShown = false;
    },
  };
}

/** `12.3 s  3,690 sent (300/s)  0 failed  kill` */
export function progressLine(doing: string, traffic: Progress["traffic"], nowMs: number): string {
  if (!traffic) return doing;
  const seconds = (nowMs - traffic.startedAt) / 1_000;
  const { sent, failed } = traffic.counts;
  const rate = Math.round(sent / Math.max(seconds, 0.001));
  return `${seconds.toFixed(1)} s  ${sent.toLocaleString("en-US")} sent (${rate}/s)  ${failed} failed  ${doing}`;
}
