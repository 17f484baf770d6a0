// pods/ephemeralcontainers and pods/resize: a client sends a whole pod, of which only these parts are taken over.
import type { Container, Pod, PodSpec } from "../../generated/types.ts";

/** Sets everything but what the subresource is about back to what it was. */
export function keepOtherParts(pod: Pod, old: Pod, subresource: string): void {
  if (subresource !== "ephemeralcontainers" && subresource !== "resize") return;
  const { managedFields, resourceVersion } = pod.metadata;
  const { managedFields: _, ...metadata } = old.metadata;
  const { ephemeralContainers } = pod.spec;
  pod.spec =
    subresource === "resize"
      ? resized(pod.spec, old.spec)
      : { ...structuredClone(old.spec), ...(ephemeralContainers ? { ephemeralContainers } : {}) };
  pod.metadata = { ...structuredClone(metadata), ...(managedFields ? { managedFields } : {}) };
  if (resourceVersion) pod.metadata.resourceVersion = resourceVersion;
}

function resized(spec: PodSpec, old: PodSpec): PodSpec {
  const kept = structuredClone(old);
  for (const list of ["containers", "initContainers"] as const)
    kept[list]?.forEach((container: Container, index) => {
      const sent = spec[list]?.[index];
      if (sent?.name !== container.name || !sent.resources) return;
      container.resources = sent.resources;
    });
  return kept;
}
