// Keeps the cluster's CA in every namespace, in the ConfigMap that pods' token volumes mount (Kubernetes' root CA publisher).
import { configMaps } from "../api/kinds/config-map.ts";
import { namespaces } from "../api/kinds/namespace.ts";
import { pathOf } from "../api/resource.ts";
import type { Transport } from "../client/transport.ts";
import { ROOT_CA_CONFIG_MAP } from "./admission/service-account.ts";
import type { ServerContext } from "./context.ts";
import { storeKey, storePrefix } from "./keys.ts";

const DESCRIPTION =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

/** Publishes `certificate` (PEM) in all namespaces, those to come included. Returns the way to stop. */
export function startRootCertificate(
  { store, log }: ServerContext,
  transport: Transport,
  certificate: string,
): () => void {
  const publish = async (namespace: string) => {
    const existing = store.get(storeKey(configMaps, namespace, ROOT_CA_CONFIG_MAP))?.object as
      | { data?: Record<string, string> }
      | undefined;
    if (existing?.data?.["ca.crt"] === certificate) return;
    const at = { namespace, ...(existing ? { name: ROOT_CA_CONFIG_MAP } : {}) };
    const { status, body } = await transport.request({
      method: existing ? "PUT" : "POST",
      path: pathOf(configMaps, at),
      body: {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
          name: ROOT_CA_CONFIG_MAP,
          namespace,
          annotations: { "kubernetes.io/description": DESCRIPTION },
        },
        data: { "ca.crt": certificate },
      },
    });
    // 403 and 404: the namespace is going; 409: somebody has just made it, and the watch tells of that.
    if (status >= 400 && ![403, 404, 409].includes(status))
      log.warn({ namespace, status, body }, "publishing the root certificate failed");
  };
  const publishSafely = (namespace: string) => {
    publish(namespace).catch((error: unknown) =>
      log.warn({ namespace, error: String(error) }, "publishing failed"),
    );
  };
  for (const { object } of store.list(storePrefix(namespaces))) publishSafely(object.metadata.name);
  const stops = [
    store.watch(storePrefix(namespaces), store.revision, ({ type, entry }) => {
      if (type === "ADDED") publishSafely(entry.object.metadata.name);
    }),
    store.watch(storePrefix(configMaps), store.revision, ({ type, entry }) => {
      const { name, namespace } = entry.object.metadata;
      if (type !== "ADDED" && name === ROOT_CA_CONFIG_MAP && namespace) publishSafely(namespace);
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
