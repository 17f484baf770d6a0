// The index that the controllers of storage ask: which pods use a claim.
import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { claimsOf } from "../../api/volume-match.ts";
import type { InformerFactory } from "../../client/informer.ts";

const PODS_BY_CLAIM = "podsByClaim";

/** Touches the pods' informer. The function gives the pods that use the claim of that key. */
export function createPodsByClaim(informers: InformerFactory): (key: string) => readonly Readonly<Pod>[] {
  const podList = informers.of(pods);
  podList.addIndex(PODS_BY_CLAIM, (pod) => claimsOf(pod).map((name) => `${pod.metadata.namespace}/${name}`));
  return (key) => podList.byIndex(PODS_BY_CLAIM, key);
}
