// The scale subresource: an autoscaling/v1 Scale that reads and writes the paths that the kind declares.
import type { Scale } from "../../api/generated/types.ts";
import { type AnyKind, ageColumn, type Column, nameColumn } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { invalid, invalidObject, notFound } from "../../api/status-error.ts";
import { atOnce, whole } from "../../base/parts.ts";
import { type BodyType, decodeValue, fieldValidationOf, readObject } from "../body.ts";
import type { ServerContext } from "../context.ts";
import { storeKey } from "../keys.ts";
import { type Answer, type ApiRequest, documentOf } from "../request.ts";
import { readPatch } from "./patch.ts";
import { encode } from "./present.ts";
import { formatOf } from "./read.ts";
import { tableOf } from "./table.ts";
import { writeOf } from "./target.ts";
import { checkNames, type NamedTarget, updateObject } from "./update.ts";

const SCALE: BodyType = {
  schema: "io.k8s.api.autoscaling.v1.Scale",
  apiVersion: "autoscaling/v1",
  kind: "Scale",
};

const COLUMNS = [
  nameColumn<KubeObject>(),
  countColumn("Desired", "How many are wanted.", ({ spec }) => spec?.replicas),
  countColumn("Available", "How many there are.", ({ status }) => status?.replicas),
  ageColumn<KubeObject>(),
];

function countColumn(
  name: string,
  description: string,
  count: (scale: Scale) => number | undefined,
): Column<KubeObject> {
  const value = (object: KubeObject) => count(object as unknown as Scale) ?? 0;
  return { name, type: "integer", priority: 0, description, value };
}

export async function serveScale(
  context: ServerContext,
  target: NamedTarget,
  request: ApiRequest,
): Promise<Answer> {
  const scale = await scaleAfter(context, target, request);
  const format = formatOf(request);
  if (format.as !== "Table") return encode(documentOf(scale), format);
  const { resourceVersion } = scale.metadata;
  const { served } = target;
  const options = { format, meta: { resourceVersion }, now: context.clock.now() };
  return documentOf(tableOf({ kind: { columns: COLUMNS }, served }, [scale], options));
}

async function scaleAfter(
  context: ServerContext,
  target: NamedTarget,
  request: ApiRequest,
): Promise<KubeObject> {
  switch (request.method) {
    case "PUT":
      return replaceScale(context, target, request);
    case "PATCH":
      return patchScale(context, target, request);
    default:
      return scaleOf(target.kind, findScaled(context, target));
  }
}

function findScaled({ store }: ServerContext, { kind, namespace, name }: NamedTarget): KubeObject {
  const entry = store.get(storeKey(kind.resource, namespace, name));
  if (!entry) throw notFound(kind.scale?.missing ?? kind.resource, name);
  return entry.object;
}

async function replaceScale(
  context: ServerContext,
  target: NamedTarget,
  request: ApiRequest,
): Promise<KubeObject> {
  const { object } = await readObject(request, context.registry, SCALE);
  checkNames(object, target);
  return writeScale(context, target, request, () => object);
}

async function patchScale(
  context: ServerContext,
  target: NamedTarget,
  request: ApiRequest,
): Promise<KubeObject> {
  const validation = fieldValidationOf(request);
  const { patch } = await readPatch(context, request);
  return writeScale(context, target, request, (scale) => {
    const options = { lookup: context.registry.lookup, validation };
    return decodeValue(whole(patch(scale, SCALE)), SCALE, options).object;
  });
}

async function writeScale(
  context: ServerContext,
  target: NamedTarget,
  request: ApiRequest,
  change: (scale: KubeObject) => KubeObject,
): Promise<KubeObject> {
  const { kind, name } = target;
  const write = { ...writeOf(target, request, "UPDATE"), subresource: "scale" };
  const next = (current: KubeObject) => {
    const scale = change(scaleOf(kind, current)) as unknown as Scale;
    const replicas = scale.spec?.replicas ?? 0;
    if (replicas < 0)
      throw invalidObject({ group: "autoscaling", kind: "Scale" }, name, [
        invalid("spec.replicas", replicas, "must be greater than or equal to 0"),
      ]);
    const object = structuredClone(current);
    kind.scale?.setReplicas(object, replicas);
    const { resourceVersion, uid } = scale.metadata;
    object.metadata = { ...object.metadata, resourceVersion: resourceVersion ?? "", uid: uid ?? "" };
    return object;
  };
  const { written } = await updateObject(context, write, { next: (current) => atOnce(() => next(current)) });
  return scaleOf(kind, written.entry!.object);
}

function scaleOf(kind: AnyKind, object: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = kind.scale?.selector(object);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, ...(namespace ? { namespace } : {}), uid, resourceVersion, creationTimestamp },
    spec: { replicas: kind.scale?.replicas(object) ?? 0 },
    status: { replicas: kind.scale?.statusReplicas(object) ?? 0, ...(selector ? { selector } : {}) },
  } as KubeObject;
}
