// The names of pods that somebody else has deleted rest for a moment before they are used again.
//
// Unlike Kubernetes, where a pod takes seconds to end: `kubectl delete pod web-1` asks for the pod, then lists and watches its name until
// nothing is there. A successor that came between the two would be waited for without end.
import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { controllerOf, keyOf } from "../../api/object.ts";
import type { ControllerContext } from "../runtime/context.ts";

export interface RestingNames {
  /** Registers on the pods' informer; returns how to end. */
  watch(): () => void;
  /** A pod that the controller is about to delete: nobody waits for its name. */
  removing(pod: Readonly<Pod>): void;
  /** For how long no pod may be created at `key` (NAMESPACE/NAME), in ms; 0 when it may. */
  remainingMs(key: string): number;
}

// Covers what lies between kubectl's two requests, on a busy machine too.
const REST_MS = 200;

export function createRestingNames({ informers, clock }: ControllerContext): RestingNames {
  const until = new Map<string, number>();
  const own = new Set<string>();
  const forget = (nowMs: number) => {
    for (const [key, untilMs] of until) if (untilMs <= nowMs) until.delete(key);
  };
  return {
    watch: () =>
      informers.of(pods).onChange((after, before) => {
        if (after || !before || controllerOf(before)?.kind !== "StatefulSet") return;
        if (own.delete(before.metadata.uid)) return;
        const now = clock.now();
        forget(now);
        until.set(keyOf(before), now + REST_MS);
      }),
    removing: ({ metadata }) => own.add(metadata.uid),
    remainingMs: (key) => Math.max((until.get(key) ?? 0) - clock.now(), 0),
  };
}
