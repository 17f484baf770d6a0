import { describe, expect, it } from "vitest";
import { startProbe } from "../../../../../agents/node/probes/worker.ts";
import type { Probe } from "../../../../../src/api/generated/types.ts";
import type { Clock } from "../../../../../src/base/clock.ts";

/** A clock that stands still until it is told to go on. */
function createFakeClock() {
  let now = 0;
  let timers: { at: number; callback: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    after(delayMs, callback) {
      const timer = { at: now + delayMs, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    sleep: (delayMs) => new Promise((resolve) => clock.after(delayMs, resolve)),
  };
  const advance = async (byMs: number) => {
    const end = now + byMs;
    for (;;) {
      const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      now = Math.max(now, next.at);
      timers = timers.filter((one) => one !== next);
      next.callback();
      await new Promise((resolve) => setImmediate(resolve));
    }
    now = end;
  };
  return { clock, advance };
}

function observe(probe: Probe, answers: readonly (boolean | "errored")[], eager = false) {
  const { clock, advance } = createFakeClock();
  const seen: string[] = [];
  let index = 0;
  const stop = startProbe({
    probe,
    clock,
    startedAt: 0,
    eager,
    check: async () => {
      const answer = answers[Math.min(index, answers.length - 1)] ?? false;
      index += 1;
      if (answer === "errored") return { ok: false, output: "no", errored: true };
      return { ok: answer, output: answer ? "" : "no" };
    },
    onFailure: () => seen.push(`fail@${clock.now()}`),
    onVerdict: (ok) => seen.push(`${ok}@${clock.now()}`),
  });
  return { advance, seen, stop };
}

describe("startProbe", () => {
  it("waits for initialDelaySeconds, then asks every period", async () => {
    const { advance, seen } = observe({ initialDelaySeconds: 2, periodSeconds: 1 }, [false]);
    await advance(1999);
    expect(seen).toEqual([]);
    await advance(2001);
    expect(seen).toEqual(["fail@2000", "fail@3000", "fail@4000", "false@4000"]);
  });

  it("needs as many in a row as the thresholds say", async () => {
    const answers = [true, false, true, true, false, false, true];
    const { advance, seen } = observe(
      { periodSeconds: 1, successThreshold: 2, failureThreshold: 2 },
      answers,
    );
    await advance(6000);
    expect(seen).toEqual(["fail@1000", "true@3000", "fail@4000", "fail@5000", "false@5000"]);
  });

  it("tries again soon in the fast profile, without counting those failures", async () => {
    const { advance, seen } = observe({ periodSeconds: 10 }, [false, false, false, true], true);
    await advance(1000);
    expect(seen).toEqual(["fail@0", "true@140"]);
  });

  it("tells what came to no result, and counts it neither way", async () => {
    const answers = [false, "errored", "errored", false, "errored"] as const;
    const { advance, seen } = observe({ periodSeconds: 1, failureThreshold: 2 }, answers);
    await advance(9000);
    expect(seen.slice(0, 5)).toEqual(["fail@0", "fail@1000", "fail@2000", "fail@3000", "false@3000"]);
    expect(seen.filter((one) => !one.startsWith("fail@"))).toEqual(["false@3000"]);
  });

  it("says nothing once it is stopped", async () => {
    const { advance, seen, stop } = observe({ periodSeconds: 1 }, [false]);
    await advance(0);
    stop();
    await advance(10_000);
    expect(seen).toEqual(["fail@0"]);
  });
});
