// The folder's side of the cluster: which objects it owns, and the writes. An object is the folder's when it carries the
// folder's label and names a source file. Both, because controllers copy labels (Service → Endpoints) or annotations
// (Deployment → ReplicaSet) to what they make.
import { createHash } from "node:crypto";
import type { AnyKind } from "../api/kind.ts";
import { FOLDER_LABEL, FOLDER_MANAGER, FOLDER_SOURCE, FOLDER_STAMP } from "../api/names.ts";
import type { KubeObject } from "../api/object.ts";
import type { Registry } from "../api/registry.ts";
import { storedKindOf } from "../api/served-form.ts";
import { hasReason, StatusError } from "../api/status-error.ts";
import type { Client } from "../client/client.ts";
import type { Declared } from "./manifest.ts";
import type { Desired, Owned } from "./plan.ts";

export interface FolderCluster {
  /** The same key for what a file declares and what the server holds. */
  keyed(declared: Declared, fingerprint: string): Desired;
  /** What the folder owns, of the kinds that were not asked for before. */
  listOwned(signal: AbortSignal): Promise<readonly Owned[]>;
  /** Server-side apply. Resolves to the server's warnings; rejects with what it says, or while what is there is being deleted. */
  apply(desired: Desired, signal: AbortSignal): Promise<readonly string[]>;
  /** Deletes it if it is still the folder's; resolves to whether it did. */
  remove(owned: Owned, signal: AbortSignal): Promise<boolean>;
}

/** A document of a kind that the server does not serve (yet). */
export class UnknownKind extends Error {}

/** What has the name now is on its way out: a write to it goes with it, so the document is applied once it is gone. */
class BeingDeleted extends Error {
  constructor({ kind, name }: Declared) {
    super(`${kind} ${name} is being deleted, and is applied again once it is gone`);
  }
}

/** Label value that stands for a folder, by its real path. */
export function folderId(root: string): string {
  return createHash("sha256").update(root).digest("hex").slice(0, 12);
}

/** True when the same request may succeed later: the server is away or busy, or what the object needs is not there yet. */
export function mayHeal(error: unknown): boolean {
  if (!(error instanceof StatusError)) return true;
  const final = [
    "BadRequest",
    "Invalid",
    "RequestEntityTooLarge",
    "MethodNotAllowed",
    "UnsupportedMediaType",
  ];
  return !final.includes(error.reason);
}

const DEFAULT_NAMESPACE = "default";

export function createFolderCluster(options: {
  readonly root: string;
  readonly client: Client;
  readonly registry: Registry;
}): FolderCluster {
  const { client, registry } = options;
  const id = folderId(options.root);
  const listed = new Set<AnyKind>();

  const kindOf = ({ group, version, kind }: Declared): AnyKind => {
    const found = registry.byKind(group, version, kind);
    if (found) return found;
    const apiVersion = group ? `${group}/${version}` : version;
    throw new UnknownKind(`no matches for kind "${kind}" in version "${apiVersion}"`);
  };
  const placeOf = ({ group, version, kind, namespace, name }: Declared) => {
    const isNamespaced = registry.byKind(group, version, kind)?.resource.namespaced ?? true;
    // Of what is in no namespace the server forgets what the manifest says: another key would be another object.
    return isNamespaced
      ? { namespace: namespace ?? DEFAULT_NAMESPACE, name }
      : { namespace: undefined, name };
  };

  return {
    keyed(declared, fingerprint) {
      const { namespace = "", name } = placeOf(declared);
      // Listed under the form in which it is stored, whatever form its manifest is in.
      const kind = registry.byKind(declared.group, declared.version, declared.kind);
      const stored = kind ? storedKindOf(kind).resource : declared;
      return { ...declared, fingerprint, key: keyText(stored, namespace, name) };
    },
    async listOwned(signal) {
      const kinds = registry.stored().filter((kind) => !listed.has(kind) && canList(kind));
      const found = await Promise.all(
        kinds.map(async (kind) => {
          const labelSelector = `${FOLDER_LABEL}=${id}`;
          const { items } = await client.list(kind.resource, { labelSelector, signal });
          return items.flatMap((object) => ownedOf(kind, object));
        }),
      );
      for (const kind of kinds) listed.add(kind);
      return found.flat();
    },
    async apply(desired, signal) {
      const { resource } = kindOf(desired);
      const place = placeOf(desired);
      let warnings: readonly string[] = [];
      let found: KubeObject | undefined;
      try {
        found = await client.patch(resource, place, "apply", marked(desired, place, id), {
          fieldManager: FOLDER_MANAGER,
          force: true,
          fieldValidation: "Strict",
          signal,
          onWarnings: (texts) => {
            warnings = texts;
          },
        });
      } catch (error) {
        // What may not change in this object may be right for the one that comes after it.
        if (hasReason(error, "Invalid")) found = await client.find(resource, place, signal);
        if (!found?.metadata.deletionTimestamp) throw error;
      }
      if (found.metadata.deletionTimestamp) throw new BeingDeleted(desired);
      return warnings;
    },
    async remove(owned, signal) {
      const { kind, place } = parseKeyText(owned.key, registry);
      if (!kind) return false;
      const object = await client.find(kind.resource, place, signal);
      if (!object || object.metadata.labels?.[FOLDER_LABEL] !== id) return false;
      if (ownedOf(kind, object)[0]?.source !== owned.source) return false;
      try {
        await client.delete(kind.resource, place, {
          propagationPolicy: "Background",
          preconditions: { uid: object.metadata.uid },
          signal,
        });
      } catch (error) {
        if (!hasReason(error, "NotFound")) throw error;
      }
      return true;
    },
  };
}

const canList = ({ verbs }: AnyKind): boolean => verbs === undefined || verbs.includes("list");

function ownedOf(kind: AnyKind, { metadata }: KubeObject): Owned[] {
  const source = metadata.annotations?.[FOLDER_SOURCE];
  if (source === undefined) return [];
  const { group, kind: name } = kind.resource;
  return [
    {
      key: keyText({ group, kind: name }, metadata.namespace ?? "", metadata.name),
      kind: name,
      source,
      // Nothing counts as applied that will be gone soon.
      fingerprint: metadata.deletionTimestamp ? "" : (metadata.annotations?.[FOLDER_STAMP] ?? ""),
    },
  ];
}

const keyText = ({ group, kind }: { group: string; kind: string }, namespace: string, name: string): string =>
  [group, kind, namespace, name].join("/");

// The version is not part of a key: the same object may be declared in another one tomorrow.
function parseKeyText(key: string, registry: Registry) {
  const [group = "", kindName = "", namespace = "", ...name] = key.split("/");
  const kind = registry
    .stored()
    .find(({ resource }) => resource.group === group && resource.kind === kindName);
  return { kind, place: { namespace: namespace || undefined, name: name.join("/") } };
}

/** `deployment.apps/web`, as kubectl names objects. */
export function shortName({ key }: { readonly key: string }): string {
  const [group = "", kind = "", , ...name] = key.split("/");
  return `${kind.toLowerCase()}${group ? `.${group}` : ""}/${name.join("/")}`;
}

function marked(
  { object, file, fingerprint }: Desired,
  place: { readonly namespace?: string | undefined },
  id: string,
): Record<string, unknown> {
  const metadata = (object["metadata"] ?? {}) as Record<string, unknown>;
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(place.namespace ? { namespace: place.namespace } : {}),
      labels: { ...(metadata["labels"] as object | undefined), [FOLDER_LABEL]: id },
      annotations: {
        ...(metadata["annotations"] as object | undefined),
        [FOLDER_SOURCE]: file,
        [FOLDER_STAMP]: fingerprint,
      },
    },
  };
}
