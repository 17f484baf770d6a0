// POST to a collection, and the creating half of server-side apply.
import { randomInt, randomUUID } from "node:crypto";
import type { KubeObject } from "../../api/object.ts";
import { apiVersionOf } from "../../api/resource.ts";
import { alreadyExists, badRequest, hasReason, plainError } from "../../api/status-error.ts";
import { validateObjectMeta } from "../../api/validation/object-meta.ts";
import { timestamp } from "../../base/clock.ts";
import type { ChangeFunction, Written } from "../../store/store.ts";
import { mutateCreate } from "../admission/chain.ts";
import { checkNamespace } from "../admission/namespace-lifecycle.ts";
import { bodyTypeOf, type ReadBody, readObject, refuseTooManyValues } from "../body.ts";
import { breathe, inPartsIfLarge } from "../breathe.ts";
import type { ServerContext } from "../context.ts";
import { storeKey } from "../keys.ts";
import type { ApiRequest } from "../request.ts";
import { commit } from "./commit.ts";
import {
  type AnyObject,
  hasGeneration,
  ownFields,
  refuseInvalid,
  storedForm,
  validateForm,
} from "./prepare.ts";
import { dropRepeatedOwners } from "./repeated-owners.ts";
import { type Target, type Write, writeOf } from "./target.ts";

// apimachinery's alphabet: no vowels and no look-alikes, so that no words come out.
const SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LENGTH = 5;
const LONGEST_BASE = 63 - SUFFIX_LENGTH;
// Kubernetes tries this often to find a free generated name.
const NAME_ATTEMPTS = 8;

export interface WriteResult {
  readonly written: Written<KubeObject>;
  readonly warnings: readonly string[];
}

/** Creates what the body holds. */
export async function createObject(
  context: ServerContext,
  target: Target,
  request: ApiRequest,
): Promise<WriteResult> {
  const write = writeOf(target, request, "CREATE");
  return createRead(context, write, await readObject(request, context.registry, bodyTypeOf(target.served)));
}

/** Creates what has been read from a body. */
export async function createRead(context: ServerContext, write: Write, read: ReadBody): Promise<WriteResult> {
  const { object: sent, size } = read;
  const warnings = [...read.warnings, ...dropRepeatedOwners(sent)];
  placeInNamespace(sent, write);
  await breathe(size);
  const object = storedForm(write.served, sent);
  write.kind.defaults?.(object);
  refuseTooManyValues(object);
  if (write.kind.hasStatus && !write.kind.keepsStatusOnCreate) delete (object as AnyObject).status;
  const version = object.metadata.resourceVersion ?? "";
  // storage.ErrResourceVersionSetOnCreate: what was read elsewhere is not made again as it stands.
  if (version !== "" && version !== "0" && !write.dryRun)
    throw plainError("resourceVersion should not be set on objects to be created");
  // Before admission: what the server adds belongs to nobody.
  await inPartsIfLarge(ownFields(context, write, object, undefined), size);
  await breathe(size);
  await mutateCreate(object, write.request, context);
  await breathe(size);
  const written = await createWithName(context, write, object);
  return { written, warnings: [...warnings, ...(write.kind.warnings?.(object, undefined) ?? [])] };
}

/** The namespace is the URL's; an object that says another is refused, and one of no namespace loses what it says. */
export function placeInNamespace(object: KubeObject, { kind, namespace }: Target): void {
  if (!kind.resource.namespaced) {
    delete object.metadata.namespace;
    return;
  }
  if (namespace === undefined) return;
  if (object.metadata.namespace && object.metadata.namespace !== namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  object.metadata.namespace = namespace;
}

async function createWithName(
  context: ServerContext,
  write: Write,
  object: KubeObject,
): Promise<Written<KubeObject>> {
  const { name, generateName } = object.metadata;
  if (name || !generateName) return createOnce(context, write, object);
  for (let attempt = 1; ; attempt += 1) {
    const named = { ...object, metadata: { ...object.metadata, name: generatedName(generateName) } };
    try {
      return await createOnce(context, write, attempt < NAME_ATTEMPTS ? structuredClone(named) : named);
    } catch (error) {
      if (!hasReason(error, "AlreadyExists") || attempt >= NAME_ATTEMPTS) throw error;
    }
  }
}

function createOnce(context: ServerContext, write: Write, object: KubeObject): Promise<Written<KubeObject>> {
  const { name, namespace } = object.metadata;
  // A missing name is for validation to tell; until then it needs some place.
  const key = storeKey(write.kind.resource, namespace, name || "?");
  return commit(context, { key, dryRun: write.dryRun }, createWithin(context, write, object));
}

/**
 * The change that creates `object`, which is decoded, defaulted and admitted, managedFields included. It may be called once.
 */
export function createWithin(
  context: ServerContext,
  write: Write,
  object: AnyObject,
): ChangeFunction<KubeObject> {
  const { kind, request } = write;
  return (current, revision, read) => {
    const { name, namespace } = object.metadata;
    if (current) throw alreadyExists(kind.resource, name);
    const readObjectAt = (key: string) => read(key)?.object;
    if (kind.resource.namespaced && namespace) checkNamespace(kind, object, readObjectAt);
    fillSystemFields(context, write, object);
    // As in Go a missing name is empty: kinds may look at it before it is refused.
    object.metadata.name ??= "";
    if (kind.hasStatus && !kind.keepsStatusOnCreate) delete object.status;
    kind.prepareCreate?.(object);
    const key = storeKey(kind.resource, namespace, name || "?");
    for (const step of context.admission) step.allocate?.(key, object, undefined, request);
    refuseInvalid(kind, name ?? "", [
      ...validateObjectMeta(object.metadata, {
        namespaced: kind.resource.namespaced,
        nameRule: kind.nameRule,
      }),
      ...(kind.validate?.(object, { subresource: "", isCreate: true }) ?? []),
      ...validateForm(write, object, undefined),
    ]);
    for (const step of context.admission)
      step.check?.({ key, object, old: undefined, request }, readObjectAt);
    object.metadata.resourceVersion = String(revision);
    return { put: object };
  };
}

function fillSystemFields(context: ServerContext, { kind }: Write, object: KubeObject): void {
  const { metadata } = object;
  metadata.uid = randomUUID();
  metadata.creationTimestamp = timestamp(context.clock.now());
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  if (hasGeneration(kind, context.registry.lookup)) metadata.generation = 1;
  else delete metadata.generation;
  object.apiVersion = apiVersionOf(kind.resource);
  object.kind = kind.resource.kind;
}

/** `web-` → `web-x7k2b`. */
export function generatedName(base: string): string {
  let name = base.slice(0, LONGEST_BASE);
  for (let i = 0; i < SUFFIX_LENGTH; i += 1) name += SUFFIX_ALPHABET[randomInt(SUFFIX_ALPHABET.length)];
  return name;
}
