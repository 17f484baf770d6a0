// The events a kubelet records of pods and nodes, in its words.
import type { Pod } from "../../src/api/generated/types.ts";
import type { Recorder } from "../../src/client/recorder.ts";
import { goDuration } from "./pod/go-duration.ts";
import { podLabel } from "./pod/plan.ts";
import type { Role } from "./pod/state.ts";

export interface PodEvents {
  pulling(image: string): void;
  pulled(image: string, tookMs: number, sizeBytes: number): void;
  present(image: string): void;
  neverPull(image: string): void;
  pullFailed(image: string, error: string): void;
  pullBackoff(image: string): void;
  invalidImage(message: string): void;
  created(): void;
  started(): void;
  /** `Error: …` */
  failed(message: string): void;
  stopping(): void;
  killing(message: string): void;
  backoff(): void;
  unhealthy(message: string): void;
  hookFailed(hook: "PostStart" | "PreStop", message: string): void;
}

const LISTS: Readonly<Record<Role, string>> = {
  init: "initContainers",
  sidecar: "initContainers",
  app: "containers",
  ephemeral: "ephemeralContainers",
};

/** Events about one container of `pod`. */
export function containerEvents(
  recorder: Recorder,
  pod: Readonly<Pod>,
  { name, role }: { name: string; role: Role | undefined },
): PodEvents {
  const options = { fieldPath: `spec.${LISTS[role ?? "app"]}{${name}}` };
  const normal = (reason: string, message: string) => recorder.event(pod, "Normal", reason, message, options);
  const warning = (reason: string, message: string) =>
    recorder.event(pod, "Warning", reason, message, options);
  return {
    pulling: (image) => normal("Pulling", `Pulling image "${image}"`),
    pulled: (image, tookMs, sizeBytes) => {
      const took = goDuration(Math.max(Math.round(tookMs), 1));
      normal(
        "Pulled",
        `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${sizeBytes} bytes.`,
      );
    },
    present: (image) => normal("Pulled", `Container image "${image}" already present on machine`),
    neverPull: (image) =>
      warning("ErrImageNeverPull", `Container image "${image}" is not present with pull policy of Never`),
    pullFailed: (image, error) => {
      warning("Failed", `Failed to pull image "${image}": ${error}`);
      warning("Failed", "Error: ErrImagePull");
    },
    pullBackoff: (image) => {
      normal("BackOff", `Back-off pulling image "${image}"`);
      warning("Failed", "Error: ImagePullBackOff");
    },
    invalidImage: (message) => {
      warning("InspectFailed", message);
      warning("Failed", "Error: InvalidImageName");
    },
    created: () => normal("Created", `Created container: ${name}`),
    started: () => normal("Started", `Started container ${name}`),
    failed: (message) => warning("Failed", `Error: ${message}`),
    stopping: () => normal("Killing", `Stopping container ${name}`),
    killing: (message) => normal("Killing", message),
    backoff: () => warning("BackOff", `Back-off restarting failed container ${name} in pod ${podLabel(pod)}`),
    unhealthy: (message) => warning("Unhealthy", message),
    hookFailed: (hook, message) => warning(`Failed${hook}Hook`, message),
  };
}
