// Gives every active namespace what each pod in it expects: the `default` ServiceAccount, and the ConfigMap with the cluster's CA
// (Kubernetes' serviceaccount and root-ca-cert-publisher controllers).
import type { ConfigMap } from "../../api/generated/types.ts";
import { configMaps } from "../../api/kinds/config-map.ts";
import { namespaces } from "../../api/kinds/namespace.ts";
import { serviceAccounts } from "../../api/kinds/service-account.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import { hasReason } from "../../api/status-error.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";

const ACCOUNT = "default";
const ROOT_CA = "kube-root-ca.crt";
const DESCRIPTION = "kubernetes.io/description";
const ABOUT_ROOT_CA =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

/** `ca`: PEM of the cluster's certificate authority. */
export function startServiceAccountController(
  context: ControllerContext,
  { ca }: { ca: string },
): RunningController {
  const { client, informers } = context;
  const namespaceList = informers.of(namespaces);
  const accountList = informers.of(serviceAccounts);
  const configMapList = informers.of(configMaps);

  // Someone else may have been faster, or the namespace has begun to go: both are fine.
  const create = async <T extends KubeObject>(
    resource: Resource<T>,
    object: Parameters<typeof client.create<T>>[1],
    writes: Writes,
  ) => {
    try {
      writes.wrote(resource, await client.create(resource, object));
    } catch (error) {
      if (!hasReason(error, "AlreadyExists") && !hasReason(error, "Forbidden")) throw error;
    }
  };

  async function reconcile(namespace: string, _signal: AbortSignal, writes: Writes): Promise<void> {
    const object = namespaceList.get(namespace);
    if (!object || object.status?.phase === "Terminating" || object.metadata.deletionTimestamp) return;
    if (!accountList.get(`${namespace}/${ACCOUNT}`))
      await create(serviceAccounts, { metadata: { name: ACCOUNT, namespace } }, writes);
    const published = configMapList.get(`${namespace}/${ROOT_CA}`);
    if (!published) {
      await create(
        configMaps,
        {
          metadata: { name: ROOT_CA, namespace, annotations: { [DESCRIPTION]: ABOUT_ROOT_CA } },
          data: { "ca.crt": ca },
        },
        writes,
      );
    } else if (published.data?.["ca.crt"] !== ca) {
      const { data: _changed, ...rest } = published as ConfigMap;
      writes.wrote(configMaps, await client.update(configMaps, { ...rest, data: { "ca.crt": ca } }));
    }
  }

  return startController(context, {
    name: "service-account",
    watch: (enqueue) => [
      namespaceList.onChange((after) => after && enqueue(after.metadata.name)),
      accountList.onChange(
        (after, before) =>
          !after && before?.metadata.name === ACCOUNT && enqueue(before.metadata.namespace ?? ""),
      ),
      configMapList.onChange((after, before) => {
        const changed = after ?? before;
        if (changed?.metadata.name === ROOT_CA) enqueue(changed.metadata.namespace ?? "");
      }),
    ],
    reconcile,
  });
}
