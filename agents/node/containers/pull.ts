// "Pulls" an image: decides what a container will run, or why it cannot, with the kubelet's pull policy, back-off,
// events and messages. Nothing is downloaded.
import type { Container } from "../../../src/api/generated/types.ts";
import type { NodeContext, PodRecord } from "../context.ts";
import type { PodEvents } from "../events.ts";
import { type ResolvedImage, resolveImage } from "../images/catalogue.ts";
import type { Waiting } from "../pod/state.ts";

export type PullResult =
  | { readonly image: ResolvedImage }
  | { readonly waiting: Waiting /** Try again then. */; readonly retryAt?: number };

/** Never rejects. */
export async function pullImage(
  context: NodeContext,
  record: PodRecord,
  { container, events, waiting }: { container: Container; events: PodEvents; waiting: Waiting | undefined },
): Promise<PullResult> {
  const { clock, timing, pulled } = context;
  const name = container.image ?? "";
  const objects = context.images.list();
  const image = resolveImage(name, objects);
  if (!image) {
    const message = `Failed to apply default image tag "${name}": couldn't parse image name "${name}": invalid reference format`;
    if (waiting?.message !== message) events.invalidImage(message);
    return { waiting: { reason: "InvalidImageName", message } };
  }
  const policy = container.imagePullPolicy ?? (image.tag === "latest" ? "Always" : "IfNotPresent");
  const present = pulled.has(image.name) || image.present;
  if (present && policy !== "Always" && !image.error) {
    events.present(name);
    pulled.set(image.name, image.sizeBytes);
    return { image };
  }
  if (policy === "Never") {
    const message = `Container image "${name}" is not present with pull policy of Never`;
    if (waiting?.message !== message) events.neverPull(name);
    return { waiting: { reason: "ErrImageNeverPull", message } };
  }
  const before = record.pulls.get(container.name);
  if (before && before.image === name && clock.now() < before.until) {
    if (clock.now() < before.shownUntil)
      return { waiting: { reason: "ErrImagePull", message: before.error }, retryAt: before.shownUntil };
    if (waiting?.reason !== "ImagePullBackOff") events.pullBackoff(name);
    const message = `Back-off pulling image "${name}": ErrImagePull: ${before.error}`;
    return { waiting: { reason: "ImagePullBackOff", message }, retryAt: before.until };
  }
  events.pulling(name);
  const startedAt = performance.now();
  if (image.pullMs > 0) await clock.sleep(image.pullMs);
  if (!image.error) {
    events.pulled(name, performance.now() - startedAt, image.sizeBytes);
    pulled.set(image.name, image.sizeBytes);
    record.pulls.delete(container.name);
    return { image };
  }
  const error = `rpc error: code = NotFound desc = ${image.error}`;
  events.pullFailed(name, error);
  const delayMs =
    before?.image === name ? Math.min(before.delayMs * 2, timing.imageBackoffMaxMs) : timing.imageBackoffMs;
  const now = clock.now();
  const shownUntil = now + ERROR_SHOWN_MS;
  record.pulls.set(container.name, { image: name, error, delayMs, until: now + delayMs, shownUntil });
  return { waiting: { reason: "ErrImagePull", message: error }, retryAt: shownUntil };
}

// ErrImagePull gives way to ImagePullBackOff at the kubelet's next look at the pod.
const ERROR_SHOWN_MS = 300;
