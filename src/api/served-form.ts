// One stored object in the several groups and versions that serve it. An object of any served kind becomes the stored one by
// toStored and comes back by fromStored; for kinds with one form both are the object itself.
import type { AnyKind } from "./kind.ts";
import type { KubeObject } from "./object.ts";
import { apiVersionOf, type Resource } from "./resource.ts";

/** The kind under which the objects of `served` lie in the store. */
export const storedKindOf = (served: AnyKind): AnyKind => served.form?.stored ?? served;

/** The kind that serves the objects of `stored` in another form: the same in all that the form does not say. */
export function kindOfForm(stored: AnyKind, form: NonNullable<AnyKind["servedAs"]>[number]): AnyKind {
  const { servedAs: _, types: __, ...shared } = stored;
  return {
    ...shared,
    resource: form.resource,
    schema: form.schema,
    form: { ...form, stored },
    ...(form.fields ? { fields: form.fields } : {}),
  };
}

/** What a client sent as `served`, as it is stored. */
export function toStored(served: AnyKind, object: KubeObject): KubeObject {
  const { form } = served;
  return form ? typed(form.toStored(object), form.stored.resource) : object;
}

/** What is stored, as `served` shows it. */
export function fromStored(served: AnyKind, object: KubeObject): KubeObject {
  const { form } = served;
  return form ? typed(form.fromStored(object), served.resource) : object;
}

function typed(object: KubeObject, resource: Resource): KubeObject {
  const { apiVersion: _, kind: __, ...rest } = object;
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, ...rest };
}

/** One object seen in the version at hand, and how others see it: the entries of managedFields speak of their own versions. */
export interface Versions {
  /** The type that `apiVersion` gives the object; undefined when it is not served in that version. */
  schemaOf(apiVersion: string): string | undefined;
  /** `object` as `apiVersion` has it, which must be one that schemaOf knows. */
  convert(object: KubeObject, apiVersion: string): KubeObject;
}

/** The versions of a served kind's objects; undefined when there is only the one. */
export function versionsOf(served: AnyKind): Versions | undefined {
  const stored = storedKindOf(served);
  if (!stored.servedAs?.length) return undefined;
  const kinds = [stored, ...stored.servedAs.map((form) => kindOfForm(stored, form))];
  const find = (apiVersion: string | undefined) =>
    kinds.find(({ resource }) => apiVersionOf(resource) === apiVersion);
  return {
    schemaOf: (apiVersion) => find(apiVersion)?.schema,
    convert(object, apiVersion) {
      const from = find(object.apiVersion);
      const to = find(apiVersion);
      return from && to && from !== to ? fromStored(to, toStored(from, object)) : object;
    },
  };
}
