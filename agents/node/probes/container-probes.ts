// The three probes of a running container and what their verdicts do: startup opens the way for the others, readiness
// sets `ready`, a failed liveness or startup probe ends the container so that its restart policy takes over.
import type { Container, Probe } from "../../../src/api/generated/types.ts";
import { probeTarget } from "../containers/hooks.ts";
import { stopContainer } from "../containers/stop.ts";
import type { ContainerRun, NodeContext, PodRecord } from "../context.ts";
import type { PodEvents } from "../events.ts";
import type { ContainerState } from "../pod/state.ts";
import { check } from "./check.ts";
import { startProbe } from "./worker.ts";

export interface ProbedContainer {
  readonly context: NodeContext;
  readonly record: PodRecord;
  readonly state: ContainerState;
  readonly container: Container;
  readonly run: ContainerRun;
  readonly events: PodEvents;
}

type Kind = "Startup" | "Readiness" | "Liveness";

export function startContainerProbes(probed: ProbedContainer): void {
  const { record, state, container, run } = probed;
  const stops: (() => void)[] = [];
  run.stopProbes = () => {
    for (const stop of stops.splice(0)) stop();
  };
  const others = () => {
    if (container.readinessProbe)
      stops.push(
        start(probed, { kind: "Readiness", probe: container.readinessProbe }, (ok) => setReady(probed, ok)),
      );
    else if (!state.ready) setReady(probed, true);
    if (container.livenessProbe)
      stops.push(
        start(
          probed,
          { kind: "Liveness", probe: container.livenessProbe },
          (ok) => !ok && end(probed, "Liveness"),
        ),
      );
  };
  if (!container.startupProbe) {
    others();
    return;
  }
  stops.push(
    start(probed, { kind: "Startup", probe: container.startupProbe }, (ok) => {
      if (!ok) return end(probed, "Startup");
      run.stopProbes();
      state.started = true;
      others();
      record.wake();
    }),
  );
}

function start(
  probed: ProbedContainer,
  { kind, probe }: { kind: Kind; probe: Probe },
  onVerdict: (ok: boolean) => void,
): () => void {
  const { context, run, events } = probed;
  const target = probeTarget(probed);
  return startProbe({
    probe,
    clock: context.clock,
    startedAt: run.startedAt,
    eager: context.timing.profile === "fast" && kind !== "Liveness",
    check: () => check(probe, target),
    onFailure: ({ errored, output }) =>
      events.unhealthy(
        `${kind} probe ${errored ? "errored and resulted in unknown state" : "failed"}: ${output}`,
      ),
    onVerdict,
  });
}

function setReady({ state, record }: ProbedContainer, ready: boolean): void {
  if (state.ready === ready || !state.running) return;
  state.ready = ready;
  record.wake();
}

function end(probed: ProbedContainer, kind: "Startup" | "Liveness"): void {
  const { context, record, state, container, events } = probed;
  if (state.stopping) return;
  events.killing(`Container ${state.name} failed ${kind.toLowerCase()} probe, will be restarted`);
  const probe = kind === "Startup" ? container.startupProbe : container.livenessProbe;
  const seconds =
    probe?.terminationGracePeriodSeconds ?? record.pod.spec?.terminationGracePeriodSeconds ?? 30;
  void stopContainer(context, record, { state, graceMs: seconds * 1000, events: undefined });
}
