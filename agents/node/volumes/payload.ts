// What the files of a volume hold. Pure but for the references it asks for. Paths are checked: a key or an item can
// never lead out of its volume.
import type {
  Container,
  KeyToPath,
  Pod,
  Volume,
  VolumeProjection,
} from "../../../src/api/generated/types.ts";
import { type Facts, podField, type References, resourceField } from "../containers/environment.ts";

/** Relative path → content and mode. */
export type Payload = Map<string, { readonly data: Buffer; readonly mode: number }>;

export function isSamePayload(one: Payload, other: Payload): boolean {
  if (one.size !== other.size) return false;
  for (const [file, { data, mode }] of one) {
    const found = other.get(file);
    if (!found || found.mode !== mode || !found.data.equals(data)) return false;
  }
  return true;
}

/** Why a volume cannot be set up yet, in the kubelet's words (without `MountVolume.SetUp failed for volume …`). */
export class VolumeError extends Error {}

export interface PayloadSources {
  readonly facts: Facts;
  readonly references: References;
  token(options: { audience: string | undefined; expirationSeconds: number }): Promise<string>;
}

const DEFAULT_MODE = 0o644;

/** The files of a ConfigMap, Secret, downwardAPI or projected volume; undefined for the other kinds. */
export async function volumePayload(volume: Volume, sources: PayloadSources): Promise<Payload | undefined> {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) return await fromConfigMap(configMap, configMap.defaultMode ?? DEFAULT_MODE, sources);
  if (secret)
    return await fromSecret(
      { ...secret, name: secret.secretName ?? "" },
      secret.defaultMode ?? DEFAULT_MODE,
      sources,
    );
  if (downwardAPI)
    return fromDownward(downwardAPI.items ?? [], downwardAPI.defaultMode ?? DEFAULT_MODE, sources);
  if (!projected) return undefined;
  const all: Payload = new Map();
  for (const source of projected.sources ?? [])
    for (const [file, content] of await fromProjection(
      source,
      projected.defaultMode ?? DEFAULT_MODE,
      sources,
    ))
      all.set(file, content);
  return all;
}

async function fromProjection(
  source: VolumeProjection,
  mode: number,
  sources: PayloadSources,
): Promise<Payload> {
  if (source.configMap) return await fromConfigMap(source.configMap, mode, sources);
  if (source.secret) return await fromSecret(source.secret, mode, sources);
  if (source.downwardAPI) return fromDownward(source.downwardAPI.items ?? [], mode, sources);
  if (!source.serviceAccountToken)
    throw new VolumeError("this kind of projected source is not supported by kubemu");
  const { path, audience, expirationSeconds = 3600 } = source.serviceAccountToken;
  const token = await sources.token({ audience, expirationSeconds });
  return new Map([[checkedPath(path), { data: Buffer.from(token), mode }]]);
}

interface Reference {
  readonly name?: string;
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
}

async function fromConfigMap(reference: Reference, mode: number, sources: PayloadSources): Promise<Payload> {
  const namespace = sources.facts.pod.metadata.namespace ?? "default";
  const found = await sources.references.configMap(namespace, reference.name ?? "");
  if (!found && !reference.optional) throw new VolumeError(`configmap "${reference.name}" not found`);
  return pick(new Map(Object.entries(found ?? {})), reference, { mode, kind: "configmap" });
}

async function fromSecret(reference: Reference, mode: number, sources: PayloadSources): Promise<Payload> {
  const namespace = sources.facts.pod.metadata.namespace ?? "default";
  const found = await sources.references.secret(namespace, reference.name ?? "");
  if (!found && !reference.optional) throw new VolumeError(`secret "${reference.name}" not found`);
  return pick(new Map(Object.entries(found ?? {})), reference, { mode, kind: "secret" });
}

function pick(
  data: ReadonlyMap<string, Buffer>,
  { items, optional }: Reference,
  { mode, kind }: { mode: number; kind: string },
): Payload {
  const payload: Payload = new Map();
  if (!items?.length) {
    for (const [key, value] of data) payload.set(checkedPath(key), { data: value, mode });
    return payload;
  }
  for (const item of items) {
    const value = data.get(item.key);
    if (value === undefined) {
      if (optional) continue;
      throw new VolumeError(`${kind} references non-existent config key: ${item.key}`);
    }
    payload.set(checkedPath(item.path), { data: value, mode: item.mode ?? mode });
  }
  return payload;
}

function fromDownward(
  items: NonNullable<NonNullable<Volume["downwardAPI"]>["items"]>,
  mode: number,
  { facts }: PayloadSources,
): Payload {
  const payload: Payload = new Map();
  for (const { path, fieldRef, resourceFieldRef, mode: own } of items) {
    const text = fieldRef
      ? podField(fieldRef.fieldPath, facts)
      : resourceFieldRef
        ? resourceField(resourceFieldRef, ownerOf(facts.pod, resourceFieldRef.containerName), facts)
        : "";
    payload.set(checkedPath(path), { data: Buffer.from(text), mode: own ?? mode });
  }
  return payload;
}

const ownerOf = (pod: Readonly<Pod>, name: string | undefined): Container | undefined =>
  pod.spec?.containers.find((container) => container.name === name);

/** A relative path without `..`; throws a VolumeError for any other. */
export function checkedPath(path: string): string {
  if (path === "" || path.startsWith("/") || path.includes("\0") || path.split("/").includes(".."))
    throw new VolumeError(`invalid path: ${JSON.stringify(path)} must be relative and must not contain '..'`);
  // The names of the writer's own bookkeeping.
  if (path.startsWith(".."))
    throw new VolumeError(`invalid path: ${JSON.stringify(path)} must not start with '..'`);
  return path;
}
