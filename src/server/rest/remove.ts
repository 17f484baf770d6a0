// DELETE and deletecollection: grace, finalizers and propagation, as the generic registry store of Kubernetes has them.
import type { DeleteOptions } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/object.ts";
import { conflict, type FieldError, invalid, notFound, notSupported } from "../../api/status-error.ts";
import { timestamp } from "../../base/clock.ts";
import type { ChangeFunction } from "../../store/store.ts";
import { type BodyType, readLoosely } from "../body.ts";
import type { ServerContext } from "../context.ts";
import { storeKey } from "../keys.ts";
import { type ApiRequest, type DocumentAnswer, documentOf } from "../request.ts";
import { commit } from "./commit.ts";
import { dryRunErrors, isDryRun, refusedOptions } from "./options.ts";
import { booleanOf, integerOf, type Target, type Write, writeOf } from "./target.ts";

const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";
const POLICIES: readonly string[] = ["Foreground", "Background", "Orphan"];

const DELETE_OPTIONS: BodyType = {
  schema: "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
  apiVersion: "v1",
  kind: "DeleteOptions",
};

export type Deletion = Partial<DeleteOptions>;

/** True when nothing holds an object any more that is being deleted: it goes with the write that made it so. */
export function isFinalized(object: KubeObject, old: KubeObject): boolean {
  if (!old.metadata.deletionTimestamp || (object.metadata.finalizers?.length ?? 0) > 0) return false;
  if (pendingFinalizers(object) > 0) return false;
  return (old.metadata.deletionGracePeriodSeconds ?? 0) === 0;
}

/** metadata.finalizers, and a Namespace's spec.finalizers, which hold it in the same way. */
function pendingFinalizers(object: KubeObject): number {
  const own = object.metadata.finalizers?.length ?? 0;
  const { spec } = object as { spec?: { finalizers?: readonly string[] } };
  return (
    own + (object.kind === "Namespace" && object.apiVersion === "v1" ? (spec?.finalizers?.length ?? 0) : 0)
  );
}

/** Reads DeleteOptions from the body, or where there is none from the query. */
export async function readDeletion(context: ServerContext, request: ApiRequest): Promise<Deletion> {
  const options = await readOptions(context, request);
  checkDeleteOptions(options);
  return options;
}

/** Throws 422 with all that apimachinery's ValidateDeleteOptions finds. */
export function checkDeleteOptions({
  orphanDependents,
  propagationPolicy: policy,
  dryRun = [],
}: Deletion): void {
  const errors: FieldError[] = [];
  if (orphanDependents !== undefined && policy !== undefined)
    errors.push(
      invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set"),
    );
  if (policy !== undefined && !POLICIES.includes(policy))
    errors.push(notSupported("propagationPolicy", policy, [...POLICIES, "nil"]));
  errors.push(...dryRunErrors(dryRun));
  if (errors.length > 0) throw refusedOptions("DeleteOptions", errors);
}

async function readOptions(context: ServerContext, request: ApiRequest): Promise<Deletion> {
  const { query } = request;
  const body = await request.readBody();
  const empty = "value" in body ? body.value === undefined : body.bytes.length === 0;
  if (!empty) {
    const again = { ...request, readBody: async () => body };
    return (await readLoosely(again, context.registry, DELETE_OPTIONS)) as Deletion;
  }
  const gracePeriodSeconds = integerOf(query, "gracePeriodSeconds");
  const orphanDependents = booleanOf(query, "orphanDependents");
  const propagationPolicy = query.get("propagationPolicy");
  return {
    ...(gracePeriodSeconds !== undefined ? { gracePeriodSeconds } : {}),
    ...(orphanDependents !== undefined ? { orphanDependents } : {}),
    ...(propagationPolicy ? { propagationPolicy } : {}),
    ...(query.has("dryRun") ? { dryRun: query.getAll("dryRun") } : {}),
  };
}

/** Deletes one object. 200 with its last state where it lives on for a while, else with a success Status. */
export async function deleteObject(
  context: ServerContext,
  target: Target & { readonly name: string },
  request: ApiRequest,
): Promise<DocumentAnswer> {
  const deletion = await readDeletion(context, request);
  return deleteNamed(context, writeOf(target, request, "DELETE"), deletion);
}

/** The deletion itself, for eviction and deletecollection too. */
export async function deleteNamed(
  context: ServerContext,
  write: Write,
  deletion: Deletion,
): Promise<DocumentAnswer> {
  const { kind, namespace, name = "" } = write;
  const key = storeKey(kind.resource, namespace, name);
  const dryRun = write.dryRun || isDryRun(deletion.dryRun);
  const { entry, effect } = await commit(context, { key, dryRun }, deleteWithin(context, write, deletion));
  const object = entry!.object;
  if (effect !== "remove" || kind.gracePeriod || kind.resource.plural === "namespaces")
    return { form: "document", status: 200, value: () => object, json: () => entry!.json };
  return documentOf({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: {
      name,
      ...(kind.resource.group ? { group: kind.resource.group } : {}),
      kind: kind.resource.plural,
      uid: object.metadata.uid,
    },
  });
}

function deleteWithin(context: ServerContext, write: Write, deletion: Deletion): ChangeFunction<KubeObject> {
  const { kind, name = "" } = write;
  return (current, revision) => {
    if (!current) throw notFound(kind.resource, name);
    const old = current.object;
    checkDeletion(write, old, deletion);
    for (const step of context.admission) step.checkDelete?.(old, write.request);
    const object: KubeObject = { ...old, metadata: { ...old.metadata } };
    const grace = applyGrace(context, write, object, deletion);
    if (grace === "pending") return undefined;
    const changed = setPropagation(write, object.metadata, deletion);
    const held = pendingFinalizers(object) > 0;
    if ((grace === 0 || grace === "none") && !held) {
      object.metadata.resourceVersion = String(revision);
      return { remove: object };
    }
    if (grace === "none") {
      const marked = markDeleting(context, object);
      if (!marked && !changed) return undefined;
    }
    object.metadata.resourceVersion = String(revision);
    return { put: object };
  };
}

function checkDeletion(
  { kind, name = "" }: Write,
  { metadata }: KubeObject,
  { preconditions }: Deletion,
): void {
  // Kubernetes names the kind here, not the resource.
  const record = { group: kind.resource.group, plural: kind.resource.kind };
  if (preconditions?.uid && preconditions.uid !== metadata.uid)
    throw conflict(
      record,
      name,
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  if (preconditions?.resourceVersion && preconditions.resourceVersion !== metadata.resourceVersion)
    throw conflict(
      record,
      name,
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
}

/**
 * Sets deletionTimestamp and grace on a kind that is deleted gracefully. "none": this kind (or object) is not; "pending": it
 * is under way already and stays as it is; else the seconds that are left to it.
 */
function applyGrace(
  { clock }: ServerContext,
  { kind }: Write,
  object: KubeObject,
  { gracePeriodSeconds: requested }: Deletion,
): "none" | "pending" | number {
  const { metadata } = object;
  if (!kind.gracePeriod) return "none";
  if (metadata.deletionTimestamp) {
    const before = metadata.deletionGracePeriodSeconds;
    if (before === undefined) return "none";
    // A grace period once begun may only be shortened.
    if (requested === undefined || requested >= before) {
      return before === 0 && pendingFinalizers(object) === 0 ? 0 : "pending";
    }
    const seconds = Math.max(requested, 0);
    metadata.deletionTimestamp = timestamp(
      Date.parse(metadata.deletionTimestamp) + (seconds - before) * 1000,
    );
    metadata.deletionGracePeriodSeconds = seconds;
    return seconds;
  }
  const seconds = kind.gracePeriod(object, requested);
  metadata.deletionTimestamp = timestamp(clock.now() + seconds * 1000);
  metadata.deletionGracePeriodSeconds = seconds;
  countGeneration(metadata);
  return seconds;
}

/** Marks what finalizers keep. False when it was marked before. */
function markDeleting({ clock }: ServerContext, object: KubeObject): boolean {
  const { metadata } = object;
  const isNamespace = object.kind === "Namespace" && object.apiVersion === "v1";
  if (metadata.deletionTimestamp && (isNamespace || metadata.deletionGracePeriodSeconds === 0)) return false;
  if (!metadata.deletionTimestamp) countGeneration(metadata);
  metadata.deletionTimestamp ??= timestamp(clock.now());
  if (isNamespace) {
    // Their registry writes these two itself, and no grace period.
    const namespace = object as KubeObject & { status?: { phase?: string } };
    namespace.status = { ...namespace.status, phase: "Terminating" };
  } else metadata.deletionGracePeriodSeconds = 0;
  return true;
}

function countGeneration(metadata: KubeObject["metadata"]): void {
  if (metadata.generation) metadata.generation += 1;
}

/** The finalizers that stand for propagation policies. True when they changed. */
function setPropagation(
  { kind }: Write,
  metadata: KubeObject["metadata"],
  { propagationPolicy: policy, orphanDependents }: Deletion,
): boolean {
  const before = metadata.finalizers ?? [];
  const explicit = policy !== undefined || orphanDependents !== undefined;
  const orphan = explicit
    ? policy === "Orphan" || orphanDependents === true
    : before.includes(ORPHAN) || (!before.includes(FOREGROUND) && kind.defaultPropagation === "Orphan");
  const foreground = explicit ? policy === "Foreground" : before.includes(FOREGROUND);
  const after = before.filter((one) => one !== ORPHAN && one !== FOREGROUND);
  if (orphan) after.push(ORPHAN);
  if (foreground) after.push(FOREGROUND);
  if (after.length > 0) metadata.finalizers = after;
  else delete metadata.finalizers;
  return after.join() !== before.join();
}
