// ServiceAccount: gives each pod its service account, and a volume with a token for the API, the cluster's CA and its
// namespace's name, mounted where client libraries look for them.
import type { Pod, ServiceAccount, Volume } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { serviceAccounts } from "../../api/kinds/service-account.ts";
import { forbidden } from "../../api/status-error.ts";
import type { ServerContext } from "../context.ts";
import { storeKey, storePrefix } from "../keys.ts";
import { generatedName } from "../rest/create.ts";
import { type AdmissionStep, isPod } from "./chain.ts";

const DEFAULT_NAME = "default";
const MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX = "kube-api-access-";
// As Kubernetes: an hour, and a few seconds to tell these from tokens that were asked for.
const TOKEN_SECONDS = 3607;
export const ROOT_CA_CONFIG_MAP = "kube-root-ca.crt";
// A new namespace's default account is made by its controller a moment after the namespace; Kubernetes waits as long.
const WAIT_MS = 1_000;

export const serviceAccount: AdmissionStep = {
  name: "ServiceAccount",
  mutateCreate(object, { kind, namespace }, context) {
    if (!isPod(kind) || namespace === undefined) return undefined;
    const pod = object as Pod;
    pod.spec.serviceAccountName ||= DEFAULT_NAME;
    pod.spec.serviceAccount = pod.spec.serviceAccountName;
    const key = storeKey(serviceAccounts, namespace, pod.spec.serviceAccountName);
    const account = context.store.get(key)?.object as ServiceAccount | undefined;
    if (account) return useAccount(pod, account);
    return waitForAccount(context, key, pod.spec.serviceAccountName === DEFAULT_NAME).then((found) => {
      if (!found) throw missing(pod, namespace);
      useAccount(pod, found);
    });
  },
};

function missing({ metadata, spec }: Pod, namespace: string) {
  const name = metadata.name || metadata.generateName || "";
  return forbidden(
    pods,
    name,
    `error looking up service account ${namespace}/${spec.serviceAccountName}: serviceaccount "${spec.serviceAccountName}" not found`,
  );
}

async function waitForAccount(
  { store, clock }: ServerContext,
  key: string,
  patient: boolean,
): Promise<ServiceAccount | undefined> {
  if (!patient) return undefined;
  let stop = () => {};
  const appeared = new Promise<void>((resolve) => {
    const stopWatch = store.watch(storePrefix(serviceAccounts), store.revision, ({ entry }) => {
      if (entry.key === key) resolve();
    });
    const stopTimer = clock.after(WAIT_MS, resolve);
    stop = () => {
      stopWatch();
      stopTimer();
    };
  });
  await appeared;
  stop();
  return store.get(key)?.object as ServiceAccount | undefined;
}

function useAccount(pod: Pod, account: ServiceAccount): void {
  const { spec } = pod;
  if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
    spec.imagePullSecrets = structuredClone(account.imagePullSecrets);
  if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(pod);
}

function mountToken({ spec }: Pod): void {
  const existing = spec.volumes?.find(({ name }) => name?.startsWith(VOLUME_PREFIX));
  const name = existing?.name ?? generatedName(VOLUME_PREFIX);
  let mounted = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if (container.volumeMounts?.some(({ mountPath }) => mountPath === MOUNT_PATH)) continue;
    container.volumeMounts ??= [];
    container.volumeMounts.push({ name, readOnly: true, mountPath: MOUNT_PATH });
    mounted = true;
  }
  if (!mounted || existing) return;
  spec.volumes ??= [];
  spec.volumes.push(tokenVolume(name));
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: "token" } },
        { configMap: { name: ROOT_CA_CONFIG_MAP, items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
    },
  };
}
