// One process of the service proxy, and what it has acted on. A worker writes it when it starts, and then only when a pod that ends
// waits to be told that no proxy sends it connections any more (docs/decisions/0005-acknowledged-removal.md).
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { KubeObject } from "../object.ts";
import type { Resource } from "../resource.ts";
import type { TypeSchema } from "../schema.ts";
import { validateNonNegative } from "../validation/numbers.ts";

export interface ProxyWorker extends KubeObject {
  status?: ProxyWorkerStatus;
}

export interface ProxyWorkerStatus {
  pid?: number;
  /** Where its traffic can be read: `127.0.0.1:PORT` (docs/traffic.md). */
  address?: string;
  /** UIDs of pods that end and that it sends no new connections; as of the last write that somebody waited for. */
  released?: string[];
}

export const proxyWorkers: Resource<ProxyWorker> = {
  group: "kubemu.dev",
  version: "v1alpha1",
  kind: "ProxyWorker",
  plural: "proxyworkers",
  namespaced: false,
};

const WORKER = "dev.kubemu.v1alpha1.ProxyWorker";
const STATUS = "dev.kubemu.v1alpha1.ProxyWorkerStatus";

const types: Readonly<Record<string, TypeSchema>> = {
  "dev.kubemu.v1alpha1.ProxyWorker": {
    gvk: [["kubemu.dev", "v1alpha1", "ProxyWorker"]],
    fields: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { ref: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" },
      status: { ref: STATUS },
    },
  },
  "dev.kubemu.v1alpha1.ProxyWorkerStatus": {
    fields: {
      pid: { type: "integer", format: "int32" },
      address: { type: "string" },
      released: { type: "array", items: { type: "string" }, listType: "atomic" },
    },
  },
};

export const proxyWorkerKind: KindDefinition<ProxyWorker> = {
  resource: proxyWorkers,
  schema: WORKER,
  types,
  singular: "proxyworker",
  nameRule: "dns-subdomain",
  validate: ({ status }) => validateNonNegative(status?.pid, "status.pid"),
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "Pid",
      type: "integer",
      priority: 0,
      description: "The worker's process.",
      value: ({ status }) => status?.pid ?? null,
    },
    {
      name: "Released",
      type: "integer",
      priority: 0,
      description: "Pods that end and that it sends no new connections, as of the last write.",
      value: ({ status }) => status?.released?.length ?? 0,
    },
    /* @__PURE__ */ ageColumn(),
  ],
};
