// PUT, and the common half of every change to an object that exists: PATCH, status, scale, binding and finalize all end here.
import type { Draft, KubeObject } from "../../api/object.ts";
import { equalJson } from "../../api/own.ts";
import { badRequest, conflict, notFound } from "../../api/status-error.ts";
import { validateObjectMetaUpdate } from "../../api/validation/object-meta.ts";
import { atOnce, type Parts, whole } from "../../base/parts.ts";
import type { ChangeFunction } from "../../store/store.ts";
import { bodyTypeOf, type ReadBody, readObject } from "../body.ts";
import { inParts, isLarge } from "../breathe.ts";
import type { ServerContext } from "../context.ts";
import { storeKey } from "../keys.ts";
import type { ApiRequest } from "../request.ts";
import { commit } from "./commit.ts";
import { createRead, type WriteResult } from "./create.ts";
import {
  type AnyObject,
  hasGeneration,
  isUnchanged,
  ownFields,
  refuseInvalid,
  storedForm,
  validateForm,
} from "./prepare.ts";
import { isFinalized } from "./remove.ts";
import { dropRepeatedOwners } from "./repeated-owners.ts";
import { type Target, type Write, writeOf } from "./target.ts";

export type NamedTarget = Target & { readonly name: string };

/** Replaces an object, or with subresource `status` its status, `finalize` its spec.finalizers and so on. */
export async function replaceObject(
  context: ServerContext,
  target: NamedTarget,
  request: ApiRequest,
): Promise<WriteResult> {
  const write = writeOf(target, request, "UPDATE");
  const read = await readObject(request, context.registry, bodyTypeOf(target.served));
  const { object } = read;
  checkNames(object, target);
  fillInNames(object, target);
  if (isMissing(context, write) && write.kind.createsOnUpdate)
    return createMissing(context, target, request, read);
  const warnings = [...read.warnings, ...dropRepeatedOwners(object)];
  return updateObject(context, write, {
    // Metadata is filled in from what is stored, and may have to be once more.
    next: () => atOnce(() => storedForm(target.served, { ...object, metadata: { ...object.metadata } })),
    warnings,
  });
}

const isMissing = ({ store }: ServerContext, { kind, namespace, name = "", subresource }: Write) =>
  subresource === "" && !store.get(storeKey(kind.resource, namespace, name));

/** The resourceVersion of an object that is gone counts for nothing, its uid does. */
async function createMissing(
  context: ServerContext,
  target: NamedTarget,
  request: ApiRequest,
  read: ReadBody,
): Promise<WriteResult> {
  const { metadata } = read.object;
  if (metadata.uid)
    throw conflict(
      target.kind.resource,
      target.name,
      `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: `,
    );
  delete (metadata as Draft<typeof metadata>).resourceVersion;
  return createRead(context, writeOf(target, request, "CREATE"), read);
}

/** 400 when an object says another name or namespace than the URL. */
export function checkNames({ metadata }: KubeObject, { kind, name, namespace }: NamedTarget): void {
  if (kind.resource.namespaced && namespace !== undefined) {
    if (metadata.namespace && metadata.namespace !== namespace)
      throw badRequest(
        "the namespace of the provided object does not match the namespace sent on the request",
      );
  }
  if (metadata.name && metadata.name !== name)
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
}

function fillInNames({ metadata }: KubeObject, { kind, name, namespace }: NamedTarget): void {
  metadata.name = name;
  if (kind.resource.namespaced && namespace !== undefined) metadata.namespace = namespace;
}

export interface Update {
  /**
   * The new object, given what is stored: decoded, mutable, not yet defaulted. Undefined: nothing is to be written. Called
   * within the write; of a large object ahead of it, and again when somebody else wrote in between.
   */
  readonly next: (current: KubeObject) => Parts<KubeObject | undefined>;
  readonly warnings?: readonly string[];
  /** Server-side apply has set managedFields itself. */
  readonly ownsFields?: boolean;
}

export async function updateObject(
  context: ServerContext,
  write: Write,
  { warnings = [], ...update }: Update,
): Promise<WriteResult> {
  const key = storeKey(write.kind.resource, write.namespace, write.name ?? "");
  const found: string[] = [];
  const ahead = await successorAhead(context, write, key, update);
  const change: ChangeFunction<KubeObject> = (current, revision, read) => {
    if (!current) throw notFound(write.kind.resource, write.name ?? "");
    const isAhead = ahead?.of === current;
    const object = isAhead ? ahead.object : whole(successorOf(context, write, current.object, update));
    if (!object) return undefined;
    prepareUpdate(context, write, object, current.object);
    const checked = { key, object, old: current.object, request: write.request };
    for (const step of context.admission) step.check?.(checked, (other) => read(other)?.object);
    found.push(...(write.kind.warnings?.(object, current.object) ?? []));
    if (isFinalized(object, current.object)) {
      object.metadata.resourceVersion = String(revision);
      return { remove: object };
    }
    if (isUnchanged(object, current.object)) return undefined;
    object.metadata.resourceVersion = String(revision);
    return { put: object };
  };
  const written = await commit(context, { key, dryRun: write.dryRun }, change);
  return { written, warnings: [...warnings, ...found] };
}

/** Makes a large object's successor before the write, so that others are answered meanwhile. */
async function successorAhead(context: ServerContext, write: Write, key: string, update: Update) {
  const of = context.store.get(key);
  if (!of || !isLarge(of.json.length)) return undefined;
  return { of, object: await inParts(successorOf(context, write, of.object, update)) };
}

/** The successor of `old` as its client means it, defaulted; it depends on nothing else that is stored. Throws StatusErrors. */
function* successorOf(
  context: ServerContext,
  write: Write,
  old: AnyObject,
  { next, ownsFields = false }: Update,
): Parts<AnyObject | undefined> {
  const object: AnyObject | undefined = yield* next(old);
  if (!object) return undefined;
  checkPreconditions(write, object, old);
  keepSystemFields(object, old);
  write.kind.defaults?.(object);
  carryOver(write, object, old);
  yield;
  // Before admission: what the server adds belongs to nobody.
  if (!ownsFields) yield* ownFields(context, write, object, old);
  yield;
  return object;
}

/** Admits and validates `object` as the successor of `old`. Throws StatusErrors. */
function prepareUpdate(context: ServerContext, write: Write, object: AnyObject, old: AnyObject): void {
  const { kind, subresource, request } = write;
  for (const step of context.admission) step.mutateUpdate?.(object, old, request, context);
  kind.prepareUpdate?.(object, old, { subresource });
  const key = storeKey(kind.resource, write.namespace, write.name ?? "");
  for (const step of context.admission) step.allocate?.(key, object, old, request);
  if (hasGeneration(kind, context.registry.lookup)) {
    const changed = !equalJson(object.spec, old.spec) || changesCountedAnnotations(write, object, old);
    object.metadata.generation = (old.metadata.generation ?? 0) + (changed ? 1 : 0);
  }
  refuseInvalid(kind, write.name ?? "", [
    ...validateObjectMetaUpdate(object.metadata, old.metadata),
    ...(kind.validate?.(object, { subresource }) ?? []),
    ...(kind.validateUpdate?.(object, old, { subresource }) ?? []),
    ...validateForm(write, object, old),
  ]);
}

function changesCountedAnnotations({ kind, subresource }: Write, object: AnyObject, old: AnyObject): boolean {
  if (!kind.generationCountsAnnotations || subresource === "status") return false;
  return !equalJson(object.metadata.annotations ?? {}, old.metadata.annotations ?? {});
}

function checkPreconditions({ kind, name = "" }: Write, { metadata }: KubeObject, old: KubeObject): void {
  if (metadata.uid && metadata.uid !== old.metadata.uid)
    throw conflict(
      kind.resource,
      name,
      `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${old.metadata.uid}`,
    );
  const wanted = metadata.resourceVersion;
  if (wanted && wanted !== "0" && wanted !== old.metadata.resourceVersion)
    throw conflict(kind.resource, name);
}

/** What a client may leave out of an update, and what it cannot set at all. */
function keepSystemFields(object: KubeObject, old: KubeObject): void {
  const { metadata } = object;
  const before = old.metadata;
  metadata.resourceVersion = before.resourceVersion;
  metadata.uid = before.uid;
  metadata.name ||= before.name;
  if (before.namespace) metadata.namespace ||= before.namespace;
  else delete metadata.namespace;
  metadata.creationTimestamp ||= before.creationTimestamp;
  if (before.generateName && metadata.generateName === undefined) metadata.generateName = before.generateName;
  delete metadata.selfLink;
  if (before.deletionTimestamp) metadata.deletionTimestamp ||= before.deletionTimestamp;
  else delete metadata.deletionTimestamp;
  if (before.deletionGracePeriodSeconds !== undefined)
    metadata.deletionGracePeriodSeconds ??= before.deletionGracePeriodSeconds;
  else delete metadata.deletionGracePeriodSeconds;
  if (before.generation !== undefined) metadata.generation = before.generation;
  else delete metadata.generation;
  if (metadata.managedFields === undefined && before.managedFields)
    metadata.managedFields = before.managedFields;
  object.apiVersion = old.apiVersion ?? "";
  object.kind = old.kind ?? "";
}

/** A write to the object leaves status alone, one to status leaves everything but metadata and status alone. */
function carryOver({ kind, subresource }: Write, object: AnyObject, old: AnyObject): void {
  if (subresource === "status") {
    const { status } = object;
    for (const field of Object.keys(object)) if (field !== "metadata") delete object[field as "spec"];
    const { metadata: _, status: __, ...rest } = old;
    Object.assign(object, rest);
    if (status !== undefined) object.status = status;
    return;
  }
  // A binding writes the PodScheduled condition along with the node's name.
  if (!kind.hasStatus || subresource === "binding") return;
  if (old.status === undefined) delete object.status;
  else object.status = old.status;
}
