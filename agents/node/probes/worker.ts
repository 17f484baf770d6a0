// Runs one probe of one running container again and again and says when its verdict changes. Thresholds, delays and
// the first verdicts are the kubelet's (pkg/kubelet/prober/worker.go).
import type { Probe } from "../../../src/api/generated/types.ts";
import type { Clock } from "../../../src/base/clock.ts";
import type { CheckResult } from "./check.ts";

export interface ProbeWorkerOptions {
  readonly probe: Probe;
  readonly clock: Clock;
  /** When the container started, milliseconds since the epoch. */
  readonly startedAt: number;
  /**
   * Unlike Kubernetes, in the fast profile: until its first success a probe is tried again quickly between its regular
   * turns, so that a container need not wait a whole period because it was asked a moment too early. These extra
   * tries are never counted as failures.
   */
  readonly eager: boolean;
  check(): Promise<CheckResult>;
  /** After each counted failure, and each turn that came to no result. */
  onFailure(result: CheckResult): void;
  /** The verdict: successThreshold successes or failureThreshold failures in a row. Called on every change, first one included. */
  onVerdict(ok: boolean): void;
}

const FIRST_EAGER_MS = 20;

/** Returns the way to stop. */
export function startProbe(options: ProbeWorkerOptions): () => void {
  const { probe, clock, startedAt, eager, check, onFailure, onVerdict } = options;
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  const delayMs = (probe.initialDelaySeconds ?? 0) * 1000;
  let stopped = false;
  let cancel = () => {};
  let run = 0;
  let lastOk: boolean | undefined;
  let verdict: boolean | undefined;
  let nextTurn = 0;
  let eagerMs = FIRST_EAGER_MS;

  const decide = (ok: boolean) => {
    run = ok === lastOk ? run + 1 : 1;
    lastOk = ok;
    if (run < (ok ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3))) return;
    if (verdict === ok) return;
    verdict = ok;
    onVerdict(ok);
  };
  const turn = async (counted: boolean) => {
    if (counted) nextTurn = clock.now() + periodMs;
    const result = await check();
    if (stopped) return;
    if (result.ok || counted) {
      if (!result.ok) onFailure(result);
      // The kubelet throws away what a prober's error gave: such a probe never ends a container.
      if (!stopped && !result.errored) decide(result.ok);
    }
    if (!stopped) schedule(result.ok);
  };
  const schedule = (ok: boolean) => {
    const regularMs = Math.max(nextTurn - clock.now(), 0);
    const isEager = eager && verdict === undefined && !ok && eagerMs < regularMs;
    cancel = clock.after(isEager ? eagerMs : regularMs, () => void turn(!isEager));
    if (isEager) eagerMs *= 2;
  };
  cancel = clock.after(Math.max(startedAt + delayMs - clock.now(), 0), () => void turn(true));
  return () => {
    stopped = true;
    cancel();
  };
}
