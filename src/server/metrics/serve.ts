// metrics.k8s.io/v1beta1, as metrics-server serves it: get and list of what is measured then and there.
import type { Pod } from "../../api/generated/types.ts";
import type { AnyKind } from "../../api/kind.ts";
import { nodes } from "../../api/kinds/node.ts";
import { pods } from "../../api/kinds/pod.ts";
import {
  metricsKinds,
  type NodeMetrics,
  nodeMetrics,
  type PodMetrics,
  podMetrics,
} from "../../api/metrics.ts";
import type { KubeObject } from "../../api/object.ts";
import { apiVersionOf } from "../../api/resource.ts";
import { notFound } from "../../api/status-error.ts";
import { timestamp } from "../../base/clock.ts";
import type { ServerContext } from "../context.ts";
import { storeKey, storePrefix } from "../keys.ts";
import type { Answer, ApiRequest } from "../request.ts";
import { encode, presentList, presentObject } from "../rest/present.ts";
import { formatOf } from "../rest/read.ts";
import { selectionOf } from "../rest/selection.ts";
import type { Measurements, Metrics } from "./measure.ts";
import type { NodeMeasurement } from "./rates.ts";

export const findMetrics = (group: string, version: string, plural: string): AnyKind | undefined =>
  metricsKinds.find(
    ({ resource }) => resource.plural === plural && resource.group === group && resource.version === version,
  );

export interface MetricsRequest {
  readonly request: ApiRequest;
  readonly kind: AnyKind;
  readonly namespace: string | undefined;
  /** Absent for a list. */
  readonly name: string | undefined;
}

/** Throws 404 for what is not there, or could not be measured. */
export async function serveMetrics(
  context: ServerContext,
  metrics: Metrics,
  { request, kind, namespace, name }: MetricsRequest,
): Promise<Answer> {
  const { matches } = selectionOf(kind, request.query);
  const format = formatOf(request);
  const measured = await metrics.measure();
  const isNodes = kind.resource.plural === nodeMetrics.plural;
  const find = isNodes ? nodesMeasured(context, name) : podsMeasured(context, { namespace, name });
  const shown = find(measured)
    .filter(matches)
    .map((object) => ({ object, json: JSON.stringify(object) }));
  const kinds = { kind, served: kind };
  if (name === undefined) {
    const list = presentList(context, kinds, shown, { format, meta: { resourceVersion: "" } });
    return await encode(list, format);
  }
  const [found] = shown;
  if (!found) throw notMeasured(kind, namespace === undefined ? name : `${namespace}/${name}`);
  return await encode(presentObject(context, kinds, found, { format }), format);
}

// metrics-server names what it lacks so: `podmetrics.metrics.k8s.io "default/web" not found`.
const notMeasured = ({ resource }: AnyKind, name: string) =>
  notFound({ ...resource, plural: resource.kind.toLowerCase() }, name);

type Find = (measured: Measurements) => readonly KubeObject[];

function nodesMeasured(context: ServerContext, name: string | undefined): Find {
  return (measured) =>
    stored(context, nodes, { name }).flatMap((node): NodeMetrics[] => {
      const found = measured.get(node.metadata.name);
      return found ? [{ ...head(nodeMetrics, node, found), usage: { ...found.usage } }] : [];
    });
}

function podsMeasured(
  context: ServerContext,
  at: { namespace?: string | undefined; name: string | undefined },
): Find {
  return (measured) =>
    stored(context, pods, at).flatMap((pod): PodMetrics[] => {
      const { spec, metadata } = pod as Readonly<Pod>;
      const found = measured.get(spec.nodeName ?? "");
      const containers = (found?.containers ?? [])
        .filter((one) => one.pod === metadata.name && one.namespace === metadata.namespace)
        .map(({ container, usage }) => ({ name: container, usage: { ...usage } }));
      return found && containers.length > 0 ? [{ ...head(podMetrics, pod, found), containers }] : [];
    });
}

function stored(
  { store }: ServerContext,
  resource: typeof pods | typeof nodes,
  { namespace, name }: { namespace?: string | undefined; name: string | undefined },
): readonly Readonly<KubeObject>[] {
  if (name === undefined) return store.list(storePrefix(resource, namespace)).map(({ object }) => object);
  const entry = store.get(storeKey(resource, namespace, name));
  return entry ? [entry.object] : [];
}

function head(
  resource: typeof podMetrics | typeof nodeMetrics,
  { metadata }: Readonly<KubeObject>,
  { atMs, windowMs }: NodeMeasurement,
) {
  const { name, namespace, labels } = metadata;
  return {
    kind: resource.kind,
    apiVersion: apiVersionOf(resource),
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      creationTimestamp: timestamp(atMs),
      ...(labels ? { labels: { ...labels } } : {}),
    } as KubeObject["metadata"],
    timestamp: timestamp(atMs),
    window: `${windowMs / 1000}s`,
  };
}
