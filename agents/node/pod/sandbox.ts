// What a pod has before its containers: an address, ports, a directory, its volumes; and what is left to remove when
// it has ended. The port map is on the Pod before its address is, so nobody learns a wrong port.
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import type { TokenRequestSpec, Volume } from "../../../src/api/generated/types.ts";
import { pods } from "../../../src/api/kinds/pod.ts";
import { serviceAccounts } from "../../../src/api/kinds/service-account.ts";
import { PORT_MAP } from "../../../src/api/names.ts";
import { claimNameOf } from "../../../src/api/volume-match.ts";
import { sweepMarked } from "../../../src/process/sweep.ts";
import { unlessAborted } from "../containers/abort.ts";
import type { NodeContext, PodRecord } from "../context.ts";
import { ClaimError, prepareClaim } from "../volumes/claim.ts";
import { prepareHostPath } from "../volumes/host-path.ts";
import { isSamePayload, VolumeError, volumePayload } from "../volumes/payload.ts";
import { writePayload } from "../volumes/write.ts";
import { forwardHostPorts, hostPortsOf } from "./host-ports.ts";
import { portsOf } from "./network.ts";

/** Gives the pod its address and ports. Rejects where none is left or the API server cannot be told. */
export async function prepareNetwork(context: NodeContext, record: PodRecord): Promise<void> {
  const { network, client } = context;
  record.address ??= network.allocate(record.pod.spec?.hostNetwork ?? false);
  record.state.podIP = record.address;
  record.portMap = await network.mapPorts(record.address, portsOf(record.pod, context.images.list()));
  const text = JSON.stringify(record.portMap);
  const written = record.pod.metadata.annotations?.[PORT_MAP];
  if (written === text || (written === undefined && text === "{}")) return;
  const value = text === "{}" ? null : text;
  const patched = await client.patch(pods, at(record), "merge", {
    metadata: { annotations: { [PORT_MAP]: value } },
  });
  takeNewer(record, patched);
}

/** Never rejects: a port that cannot be had is told by an Event. */
export async function openHostPorts(context: NodeContext, record: PodRecord): Promise<void> {
  const { network, recorder } = context;
  const ports = hostPortsOf(record.pod, network.nodeIP);
  if (ports.length === 0 || record.hostPorts) return;
  record.hostPorts = await forwardHostPorts(
    ports,
    (port) => ({ host: record.address ?? network.nodeIP, port: record.portMap[port] ?? port }),
    ({ host, port }, { code = "" }) =>
      recorder.event(
        record.pod,
        "Warning",
        "HostPortUnavailable",
        `Host port ${host}:${port} cannot be listened on: ${WHY[code] ?? code}`,
      ),
  );
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
};

/** Keeps whichever version of the pod is newer. */
export function takeNewer(record: PodRecord, pod: PodRecord["pod"]): void {
  if (pod.metadata.uid !== record.uid) return;
  if (Number(pod.metadata.resourceVersion) > Number(record.pod.metadata.resourceVersion)) record.pod = pod;
}

export const at = ({ pod }: PodRecord) => ({
  namespace: pod.metadata.namespace,
  name: pod.metadata.name,
});

/** Why a volume is not there yet, in the kubelet's words. */
export class MountFailure extends Error {}

/** Sets up every volume, or brings it up to date. Rejects with a MountFailure. */
export async function prepareVolumes(context: NodeContext, record: PodRecord): Promise<void> {
  mkdirSync(record.directory, { recursive: true });
  for (const volume of record.pod.spec?.volumes ?? []) {
    const claimName = claimNameOf(record.pod, volume);
    // A claim's volume stays where it is for as long as the pod does.
    if (claimName !== undefined && record.volumes.has(volume.name)) continue;
    try {
      const work =
        claimName === undefined
          ? prepareVolume(context, record, volume)
          : prepareClaim(context.client, record.pod, { volume, claimName });
      record.volumes.set(volume.name, await unlessAborted(work, record.ending.signal));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (error instanceof ClaimError) throw new MountFailure(unattached(volume.name, why), { cause: error });
      throw new MountFailure(`MountVolume.SetUp failed for volume "${volume.name}" : ${why}`, {
        cause: error,
      });
    }
  }
}

const unattached = (name: string, why: string): string =>
  `Unable to attach or mount volumes: unmounted volumes=[${name}], unattached volumes=[${name}], failed to process volumes=[${name}]: ${why}`;

async function prepareVolume(context: NodeContext, record: PodRecord, volume: Volume): Promise<string> {
  if (volume.hostPath) {
    await prepareHostPath(volume.hostPath.path, volume.hostPath.type);
    return volume.hostPath.path;
  }
  const directory = path.join(record.directory, "volumes", volume.name);
  if (volume.emptyDir) {
    mkdirSync(directory, { recursive: true });
    return directory;
  }
  const payload = await volumePayload(volume, {
    facts: {
      pod: record.pod,
      podIP: record.state.podIP ?? "",
      hostIP: context.network.nodeIP,
      nodeName: context.settings.node,
      allocatable: context.allocatable,
    },
    references: context.references.forPod(record.uid),
    token: (options) => serviceAccountToken(context, record, options),
  });
  if (!payload) throw new VolumeError("kubemu has no plugin for this kind of volume");
  const now = context.clock.now();
  const before = record.payloads.get(volume.name);
  if (before && now < before.compareAt && isSamePayload(before.payload, payload)) return directory;
  writePayload(directory, payload);
  record.payloads.set(volume.name, { payload, compareAt: now + COMPARE_EVERY_MS });
  return directory;
}

// A pod is looked at several times while it starts. What somebody else has done to its files is undone at the first look after this.
const COMPARE_EVERY_MS = 30_000;

/** A token for the pod's service account, asked for again when four fifths of its time are over. */
async function serviceAccountToken(
  { client, clock }: NodeContext,
  record: PodRecord,
  { audience, expirationSeconds }: { audience: string | undefined; expirationSeconds: number },
): Promise<string> {
  const known = record.tokens.get(audience ?? "");
  if (known && clock.now() < known.renewAt) return known.token;
  const { pod } = record;
  const account = { namespace: pod.metadata.namespace, name: pod.spec?.serviceAccountName || "default" };
  const spec: TokenRequestSpec = {
    audiences: audience ? [audience] : [],
    expirationSeconds,
    boundObjectRef: { apiVersion: "v1", kind: "Pod", name: pod.metadata.name, uid: record.uid },
  };
  const reply = await client.createSub<never, { status?: { token?: string } }>(
    serviceAccounts as never,
    account,
    "token",
    { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec },
  );
  const token = reply.status?.token;
  if (!token) throw new VolumeError("failed to fetch token: the API server gave none");
  record.tokens.set(audience ?? "", { token, renewAt: clock.now() + expirationSeconds * 800 });
  return token;
}

/** Ends what escaped its process group, gives the address back. The directory stays until the Pod is gone: logs. */
export async function releaseSandbox(context: NodeContext, record: PodRecord): Promise<void> {
  if (record.foreign) await sweepMarked({ KUBEMU_CLUSTER: context.settings.dataDir, KUBEMU_POD: record.uid });
  record.foreign = false;
  await record.hostPorts?.stop();
  record.hostPorts = undefined;
  context.references.release(record.uid);
  if (record.address !== undefined) context.network.release(record.address);
  record.address = undefined;
  record.state.sandbox = false;
}

export async function removeDirectory(record: PodRecord): Promise<void> {
  await rm(record.directory, { recursive: true, force: true, maxRetries: 2 });
}
