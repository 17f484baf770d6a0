// The pod that `logs`, `exec` and `port-forward` are about: named itself, or the first that a workload or a Service selects.
import type { Pod, Service } from "../api/generated/types.ts";
import { pods } from "../api/kinds/pod.ts";
import type { KubeObject, LabelSelector } from "../api/object.ts";
import { isPodReady } from "../api/pod-status.ts";
import { selectorText } from "../api/selectors.ts";
import { parseSelected } from "./selected-objects.ts";
import type { Session } from "./session.ts";

export interface Found {
  /** Best first: ready before not ready, older before newer. Never empty. */
  readonly pods: readonly Pod[];
  /** What was named, where it was no pod. */
  readonly owner?: KubeObject;
}

/** `web-abc`, `pod/web-abc`, `deployment/web`, `svc/web`. */
export async function podsOf(session: Session, word: string): Promise<Found> {
  const { client, namespace } = session;
  if (!word.includes("/")) return { pods: [await client.get(pods, { namespace, name: word })] };
  const [{ type, name = "" } = { type: undefined }] = parseSelected(session, [word]);
  if (!type) throw new Error(`there is no ${word}`);
  const owner = await client.get(type.resource, { namespace, name });
  if (type.resource.kind === "Pod") return { pods: [owner as Pod] };
  const labelSelector = selectorOf(type.resource.kind, owner);
  if (!labelSelector) throw new Error(`cannot attach to ${type.resource.kind}: it selects no pods`);
  const { items } = await client.list(pods, { namespace, labelSelector });
  if (items.length === 0) throw new Error(`no pods found for ${word}`);
  return { pods: bestFirst(items), owner };
}

function selectorOf(kind: string, object: KubeObject): string {
  const { spec } = object as KubeObject & { spec?: { selector?: unknown } };
  if (kind === "Service" || kind === "ReplicationController")
    return selectorText({ matchLabels: (object as Service).spec.selector ?? {} });
  return spec?.selector ? selectorText(spec.selector as LabelSelector) : "";
}

const bestFirst = (items: readonly Pod[]): Pod[] =>
  [...items].sort(
    (a, b) =>
      Number(isPodReady(b)) - Number(isPodReady(a)) ||
      a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp),
  );

/** The container that is meant where none is named, and what to tell the user about it. */
export function usualContainer(pod: Pod, wanted: unknown): { name: string; hint?: string } {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(({ name }) => name);
  if (typeof wanted === "string") {
    if (all.includes(wanted)) return { name: wanted };
    throw new Error(`container ${wanted} is not valid for pod ${pod.metadata.name}`);
  }
  const marked = pod.metadata.annotations?.["kubectl.kubernetes.io/default-container"];
  const name = marked !== undefined && all.includes(marked) ? marked : (all[0] ?? "");
  if (all.length === 1 || marked === name) return { name };
  const inits = new Set(pod.spec.initContainers?.map((each) => each.name));
  const listed = all.map((each) => (inits.has(each) ? `${each} (init)` : each));
  return { name, hint: `Defaulted container ${JSON.stringify(name)} out of: ${listed.join(", ")}` };
}
