// metrics.k8s.io: what nodes and pods use now. Nothing of it is stored, so these kinds are not in the registry: the server measures when
// it is asked (src/server/metrics).
import { addQuantities } from "../base/quantity.ts";
import { type AnyKind, type KindDefinition, nameColumn, textColumn } from "./kind.ts";
import type { KubeObject } from "./object.ts";
import type { Resource } from "./resource.ts";
import type { TypeSchema } from "./schema.ts";

/** Quantities: `cpu` in cores, averaged over the window; `memory` in bytes, at its end. */
export interface Usage {
  cpu: string;
  memory: string;
}

interface Measured {
  /** The end of the window. */
  timestamp: string;
  /** A Go duration: `15s`. */
  window: string;
}

export interface NodeMetrics extends KubeObject, Measured {
  usage: Usage;
}

export interface PodMetrics extends KubeObject, Measured {
  containers: { name: string; usage: Usage }[];
}

const PACKAGE = "io.k8s.metrics.pkg.apis.metrics.v1beta1";
const METRICS = { group: "metrics.k8s.io", version: "v1beta1" };

export const nodeMetrics: Resource<NodeMetrics> = {
  ...METRICS,
  kind: "NodeMetrics",
  plural: "nodes",
  namespaced: false,
};
export const podMetrics: Resource<PodMetrics> = {
  ...METRICS,
  kind: "PodMetrics",
  plural: "pods",
  namespaced: true,
};

const nodeMetricsKind = metricsKind(nodeMetrics, ({ usage }) => [usage]);
const podMetricsKind = metricsKind(podMetrics, ({ containers }) => containers.map(({ usage }) => usage));

const USAGE = {
  type: "object",
  values: { ref: "io.k8s.apimachinery.pkg.api.resource.Quantity" },
  required: true,
};
const MEASURED = {
  apiVersion: { type: "string" },
  kind: { type: "string" },
  metadata: { ref: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" },
  timestamp: { ref: "io.k8s.apimachinery.pkg.apis.meta.v1.Time", required: true },
  window: { type: "string", required: true },
};

/** The structure of the kinds below, as OpenAPI describes it. */
export const metricsTypes: Readonly<Record<string, TypeSchema>> = {
  [`${PACKAGE}.NodeMetrics`]: { fields: { ...MEASURED, usage: USAGE } },
  [`${PACKAGE}.PodMetrics`]: {
    fields: {
      ...MEASURED,
      containers: { type: "array", items: { ref: `${PACKAGE}.ContainerMetrics` }, required: true },
    },
  },
  [`${PACKAGE}.ContainerMetrics`]: { fields: { name: { type: "string", required: true }, usage: USAGE } },
};

/** What is served beside the registry's kinds. */
export const metricsKinds: readonly AnyKind[] = [nodeMetricsKind as AnyKind, podMetricsKind as AnyKind];

/** As metrics-server declares them; `usages` are to be added up. */
function metricsKind<T extends KubeObject & Measured>(
  resource: Resource<T>,
  usages: (object: T) => readonly Usage[],
): KindDefinition<T> {
  const sum = (object: T, name: keyof Usage) =>
    usages(object)
      .map((usage) => usage[name])
      .reduce(addQuantities, "0");
  return {
    resource,
    schema: `${PACKAGE}.${resource.kind}`,
    // None, so that clients take the kind for it: `kubectl get podmetrics`.
    singular: "",
    nameRule: "dns-subdomain",
    verbs: ["get", "list"],
    columns: [
      nameColumn(),
      textColumn("cpu", "Cores in use.", (object) => sum(object, "cpu")),
      textColumn("memory", "Memory in use.", (object) => sum(object, "memory")),
      textColumn("Window", "How long was measured.", ({ window }) => window),
    ],
  };
}
