// Namespace. Its removal is the namespace controller's: the server keeps it until spec.finalizers is empty.
import type { Namespace } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { validateFinalizer } from "../validation/object-meta.ts";

export const namespaces: Resource<Namespace> = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  namespaced: false,
};

const FINALIZER = "kubernetes";

export const namespaceKind: KindDefinition<Namespace> = {
  resource: namespaces,
  schema: "io.k8s.api.core.v1.Namespace",
  singular: "namespace",
  shortNames: ["ns"],
  nameRule: "dns-label",
  hasStatus: true,
  hasGeneration: false,
  defaults(namespace) {
    namespace.spec ??= {};
    namespace.metadata ??= {};
    const { name } = namespace.metadata;
    if (!name) return;
    namespace.metadata.labels ??= {};
    namespace.metadata.labels["kubernetes.io/metadata.name"] = name;
  },
  prepareCreate(namespace) {
    namespace.status = { phase: "Active" };
    namespace.spec ??= {};
    const finalizers = namespace.spec.finalizers ?? [];
    namespace.spec.finalizers = finalizers.includes(FINALIZER) ? finalizers : [...finalizers, FINALIZER];
    // The name may have been generated after defaulting.
    namespace.metadata.labels = {
      ...namespace.metadata.labels,
      "kubernetes.io/metadata.name": namespace.metadata.name,
    };
  },
  validate: ({ spec }) =>
    (spec?.finalizers ?? []).flatMap((finalizer) => validateFinalizer(finalizer, "spec.finalizers")),
  prepareUpdate(namespace, old, { subresource }) {
    // Only /finalize may take a finalizer out, and nothing but a delete makes it Terminating.
    if (subresource !== "finalize") namespace.spec = old.spec;
    if (!namespace.status?.phase) namespace.status = { ...namespace.status, phase: "Active" };
    if (old.metadata.deletionTimestamp) namespace.status = { ...namespace.status, phase: "Terminating" };
  },
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "Status",
      type: "string",
      priority: 0,
      description: "Active, or Terminating while its objects are being removed.",
      value: (namespace) => namespace.status?.phase ?? "",
    },
    /* @__PURE__ */ ageColumn(),
  ],
  fields: (namespace) => ({ "status.phase": namespace.status?.phase ?? "" }),
};
