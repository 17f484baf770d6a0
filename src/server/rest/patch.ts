// PATCH in its four forms. Each ends as an update of what is stored, decided against the newest state within the write, so
// a patch never meets a conflict unless it names a resourceVersion.
import type { KubeObject } from "../../api/object.ts";
import { typedErrorsInParts } from "../../api/patch/typed-errors.ts";
import { fromStored, versionsOf } from "../../api/served-form.ts";
import {
  badRequest,
  hasReason,
  notFound,
  plainError,
  required,
  statusError,
} from "../../api/status-error.ts";
import { atOnce, type Parts } from "../../base/parts.ts";
import { mutateCreate } from "../admission/chain.ts";
import {
  type BodyType,
  bodyTypeOf,
  type DecodedBody,
  decodeValue,
  type FieldValidation,
  fieldValidationOf,
  mediaTypeOf,
  readValue,
  refuseTooManyValues,
  unsupported,
} from "../body.ts";
import { breathe, inPartsIfLarge } from "../breathe.ts";
import type { ServerContext } from "../context.ts";
import { storeKey } from "../keys.ts";
import type { ApiRequest } from "../request.ts";
import { commit } from "./commit.ts";
import { createWithin, placeInNamespace, type WriteResult } from "./create.ts";
import { refusedOptions } from "./options.ts";
import { decodePatched, jsonWords, type PatchWords, strategicWords } from "./patch-errors.ts";
import { storedForm } from "./prepare.ts";
import { booleanOf, type Write, writeOf } from "./target.ts";
import { checkNames, type NamedTarget, updateObject } from "./update.ts";

const JSON_PATCH = "application/json-patch+json";
const MERGE_PATCH = "application/merge-patch+json";
const STRATEGIC_PATCH = "application/strategic-merge-patch+json";
const APPLY_YAML = "application/apply-patch+yaml";
const PATCH_TYPES = [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_YAML];

// Between a look and a write the object may come and go; Kubernetes gives up after five rounds.
const APPLY_ATTEMPTS = 5;

/** A patch that is read but not yet applied to anything: document in, patched document out. */
export type PatchDocument = (document: unknown, type: BodyType) => Parts<unknown>;

export async function patchObject(
  context: ServerContext,
  target: NamedTarget,
  request: ApiRequest,
): Promise<WriteResult> {
  if (mediaTypeOf(request.contentType) === APPLY_YAML) return applyObject(context, target, request);
  const write = writeOf(target, request, "UPDATE");
  const validation = fieldValidationOf(request);
  const { patch, duplicateFields, words } = await readPatch(context, request);
  const { served } = target;
  const type = bodyTypeOf(served);
  const warnings: string[] = [];
  const next = function* (current: KubeObject): Parts<KubeObject> {
    const options = { lookup: context.registry.lookup, validation, duplicateFields };
    const document = fromStored(served, current);
    const patched = (yield* patch(document, type)) as KubeObject | null;
    if (write.subresource === "") refuseTooManyValues(patched);
    yield;
    const { managedFields } = document.metadata;
    const decoded = decodePatched(patched, words, () =>
      managedFields && patched?.metadata?.managedFields === managedFields
        ? decodeAround(patched, type, options)
        : decodeValue(patched, type, options),
    );
    checkNames(decoded.object, target);
    warnings.splice(0, warnings.length, ...decoded.warnings);
    yield;
    return storedForm(served, decoded.object);
  };
  const result = await updateObject(context, write, { next });
  return { ...result, warnings: [...warnings, ...result.warnings] };
}

/** Decodes all but the field sets: they are the server's own work, as large as the object, and never changed, and need no second reading. */
function decodeAround(
  value: KubeObject,
  type: BodyType,
  options: Parameters<typeof decodeValue>[2],
): DecodedBody {
  const { managedFields, ...metadata } = value.metadata;
  const decoded = decodeValue({ ...value, metadata }, type, options);
  if (managedFields) decoded.object.metadata.managedFields = managedFields;
  return decoded;
}

/** Reads a JSON, merge or strategic merge patch. Throws 415 for other types. */
export async function readPatch(
  context: ServerContext,
  request: ApiRequest,
): Promise<{ patch: PatchDocument; duplicateFields: readonly string[]; words: PatchWords }> {
  const media = mediaTypeOf(request.contentType);
  if (!PATCH_TYPES.includes(media) || media === APPLY_YAML) throw unsupported(media, PATCH_TYPES.join(", "));
  const { value, duplicateFields } = await readValue(request, { strict: true });
  switch (media) {
    case JSON_PATCH: {
      const { jsonPatchInParts } = await import("../../api/patch/json-patch.ts");
      return { patch: (document) => jsonPatchInParts(document, value), duplicateFields, words: jsonWords };
    }
    case MERGE_PATCH: {
      checkIsMap(value);
      const { applyMergePatch } = await import("../../api/patch/merge-patch.ts");
      const patch: PatchDocument = (document) => atOnce(() => applyMergePatch(document, value));
      return { patch, duplicateFields, words: jsonWords };
    }
    default: {
      checkIsMap(value);
      const { applyStrategicMergePatch } = await import("../../api/patch/strategic-merge.ts");
      const { lookup } = context.registry;
      return {
        patch: (document, { schema }) =>
          atOnce(() => applyStrategicMergePatch(document, value, schema, lookup)),
        duplicateFields,
        words: strategicWords(value),
      };
    }
  }
}

function checkIsMap(value: unknown): void {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw badRequest(
      "error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}",
    );
}

/** Server-side apply: creates what is not there. */
async function applyObject(
  context: ServerContext,
  target: NamedTarget,
  request: ApiRequest,
): Promise<WriteResult> {
  const applied = await readApplied(context, target, request);
  await breathe(applied.size);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await applyOnce(context, target, applied);
    } catch (error) {
      const raced = hasReason(error, "AlreadyExists") || error instanceof Vanished;
      if (!raced || attempt >= APPLY_ATTEMPTS) throw error instanceof Vanished ? error.cause : error;
    }
  }
}

/** What was to be changed had gone by the time of the write: it is to be created then. */
class Vanished extends Error {}

interface Applied {
  readonly request: ApiRequest;
  readonly value: KubeObject;
  readonly warnings: readonly string[];
  readonly force: boolean;
  readonly size: number;
}

async function readApplied(
  context: ServerContext,
  target: NamedTarget,
  request: ApiRequest,
): Promise<Applied> {
  if (!request.query.get("fieldManager"))
    throw refusedOptions("PatchOptions", [required("fieldManager", "is required for apply patch")]);
  const body = await request.readBody();
  const yaml = { ...request, contentType: "application/yaml", readBody: async () => body };
  const { value, duplicateFields, size } = await readValue(yaml, { strict: true });
  checkIsMap(value);
  checkIdentity(value as Partial<KubeObject>, target);
  await breathe(size);
  const validation: FieldValidation = fieldValidationOf(request);
  const { lookup } = context.registry;
  await refuseUntyped(context, target, { request, value: value as KubeObject, size });
  const decoded = decodeValue(value, bodyTypeOf(target.served), { lookup, validation, duplicateFields });
  const { metadata } = decoded.object;
  if (metadata.managedFields?.length) throw badRequest("metadata.managedFields must be nil");
  placeInNamespace(decoded.object, target);
  metadata.name = target.name;
  return {
    request,
    value: decoded.object,
    warnings: decoded.warnings,
    force: booleanOf(request.query, "force") ?? false,
    size,
  };
}

/**
 * 500 for what structured-merge-diff finds: unknown fields, whatever fieldValidation says, values of wrong types, items that
 * come twice. kubemu's own applies take what kubectl's client-side apply takes.
 */
async function refuseUntyped(
  context: ServerContext,
  { served }: NamedTarget,
  { request, value, size }: Pick<Applied, "request" | "value" | "size">,
): Promise<void> {
  if (request.query.get("fieldManager")?.startsWith("kubemu")) return;
  const { schema, apiVersion, kind } = bodyTypeOf(served);
  const found = await inPartsIfLarge(typedErrorsInParts(value, schema, context.registry.lookup), size);
  const [first, ...more] = found;
  if (first === undefined) return;
  const { namespace = "", name } = value.metadata;
  const version = apiVersion.includes("/") ? apiVersion : `/${apiVersion}`;
  const told =
    more.length === 0 ? first : ["errors:", ...[first, ...more].map((one) => `  ${one}`)].join("\n");
  throw plainError(
    `failed to create typed patch object (${namespace}/${name}; ${version}, Kind=${kind}): ${told}`,
  );
}

function checkIdentity(value: Partial<KubeObject>, { served, name }: NamedTarget): void {
  const { apiVersion, kind: wanted } = bodyTypeOf(served);
  if (!value.kind || !value.apiVersion)
    throw badRequest(
      `error decoding YAML: Object 'Kind' is missing in '${JSON.stringify(value).slice(0, 200)}'`,
    );
  if (value.apiVersion !== apiVersion || value.kind !== wanted)
    throw badRequest(
      `the kind of the applied object (${value.apiVersion}, Kind=${value.kind}) does not match the request (${apiVersion}, Kind=${wanted})`,
    );
  const given = value.metadata?.name;
  if (given && given !== name)
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
}

async function applyOnce(
  context: ServerContext,
  target: NamedTarget,
  { request, value, warnings, force, size }: Applied,
): Promise<WriteResult> {
  const { applyInParts } = await import("../../api/patch/server-side-apply.ts");
  const { kind, served, namespace, name } = target;
  const key = storeKey(kind.resource, namespace, name);
  const apply = (live: KubeObject | undefined, write: Write) =>
    applyInParts({
      live: live && fromStored(served, live),
      applied: value,
      schema: served.schema,
      lookup: context.registry.lookup,
      versions: versionsOf(served),
      manager: write.manager,
      subresource: write.subresource,
      force,
      now: context.clock.now(),
    });

  const decode = (object: KubeObject) => {
    const { lookup } = context.registry;
    const decoded = decodeAround(object, bodyTypeOf(served), { lookup, validation: "Ignore" });
    return storedForm(served, decoded.object);
  };

  if (context.store.get(key)) {
    const write = writeOf(target, request, "UPDATE");
    const next = function* (current: KubeObject): Parts<KubeObject> {
      const { object, conflicts } = yield* apply(current, write);
      yield;
      refuseConflicts(conflicts, write);
      if (write.subresource === "") refuseTooManyValues(object);
      yield;
      return decode(object);
    };
    try {
      return await updateObject(context, write, { next, warnings, ownsFields: true });
    } catch (error) {
      if (hasReason(error, "NotFound") && !context.store.get(key))
        throw new Vanished("gone", { cause: error });
      throw error;
    }
  }
  if (target.subresource !== "") throw notFound(kind.resource, name);
  const write = writeOf(target, request, "CREATE");
  if (value.metadata.uid)
    throw statusError(
      "Conflict",
      "uid mismatch: the provided object specified uid, and no existing object was found",
    );
  const { object } = await inPartsIfLarge(apply(undefined, write), size);
  await breathe(size);
  const draft = decode(object);
  kind.defaults?.(draft);
  refuseTooManyValues(draft);
  await mutateCreate(draft, write.request, context);
  await breathe(size);
  const found = [...warnings, ...(kind.warnings?.(draft, undefined) ?? [])];
  const written = await commit(context, { key, dryRun: write.dryRun }, createWithin(context, write, draft));
  return { written, warnings: found };
}

interface FieldConflict {
  readonly manager: string;
  readonly field: string;
  readonly message: string;
}

/** 409 with a cause for each field that another manager owns, as apply's NewApplyConflict words it. */
function refuseConflicts(conflicts: readonly FieldConflict[], { kind, name = "" }: Write): void {
  if (conflicts.length === 0) return;
  const { group, plural } = kind.resource;
  throw statusError("Conflict", conflictText(conflicts), {
    name,
    ...(group ? { group } : {}),
    kind: plural,
    causes: conflicts.map(({ message, field }) => ({ reason: "FieldManagerConflict", message, field })),
  });
}

function conflictText(conflicts: readonly FieldConflict[]): string {
  const one = conflicts[0]!;
  const count = `Apply failed with ${conflicts.length} conflict${conflicts.length === 1 ? "" : "s"}: `;
  if (conflicts.length === 1) return `${count}${one.message}: ${one.field}`;
  const byMessage = new Map<string, string[]>();
  for (const { message, field } of conflicts) {
    const fields = byMessage.get(message);
    if (fields) fields.push(field);
    else byMessage.set(message, [field]);
  }
  // Kubernetes' list says "conflicts with", its single sentence "conflict with".
  const lines = [...byMessage]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([message, fields]) => {
      const paths = fields.map((field) => `- ${field}`);
      return [`${message.replace(/^conflict /, "conflicts ")}:`, ...paths].join("\n");
    });
  return `${count}${lines.join("\n")}`;
}
