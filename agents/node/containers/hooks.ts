// postStart and preStop: one handler, run once.
import type { Container, LifecycleHandler } from "../../../src/api/generated/types.ts";
import type { ContainerRun, NodeContext, PodRecord } from "../context.ts";
import { check, type Target } from "../probes/check.ts";
import { runCommand } from "./exec.ts";

export interface HookTarget {
  readonly context: NodeContext;
  readonly record: PodRecord;
  readonly container: Container;
  readonly run: ContainerRun;
}

// A hook has no timeout of its own; the pod's grace period ends it (the caller races it).
const NO_LIMIT_SECONDS = 24 * 3600;

/** Undefined when it succeeded, else why not. Never rejects. */
export async function runHook(hook: LifecycleHandler, target: HookTarget): Promise<string | undefined> {
  if (hook.sleep) {
    await target.context.clock.sleep(hook.sleep.seconds * 1000);
    return undefined;
  }
  const result = await check({ ...hook, timeoutSeconds: NO_LIMIT_SECONDS }, probeTarget(target));
  return result.ok ? undefined : result.output;
}

/** What probes and hooks of a container are aimed at. */
export function probeTarget({ context, record, container, run }: HookTarget): Target {
  return {
    podIP: record.state.podIP ?? context.network.nodeIP,
    ports: container.ports ?? [],
    portMap: run.portMap,
    exec: (argv, timeoutMs) =>
      runCommand(context, { record, run }, { argv, timeoutMs: Math.min(timeoutMs, 2 ** 31 - 1) }),
  };
}
