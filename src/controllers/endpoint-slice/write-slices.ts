// Carries out a slice plan, for the slices that follow pods and for those that mirror Endpoints.
import type { EndpointSlice } from "../../api/generated/types.ts";
import { endpointSlices } from "../../api/kinds/endpoint-slice.ts";
import type { OwnerReference } from "../../api/object.ts";
import { equalJson } from "../../api/own.ts";
import { hasReason } from "../../api/status-error.ts";
import type { Client } from "../../client/client.ts";
import type { Writes } from "../runtime/start-controller.ts";
import type { SliceContent, SlicePlan } from "./plan.ts";

export const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";

/** What all slices of one Service carry beside their content. */
export interface SliceHead {
  readonly namespace: string;
  /** The Service's name; slices are called `NAME-` and five characters. */
  readonly service: string;
  readonly addressType: "IPv4" | "IPv6";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** These and no others, at once. Else they come with the next change of the content, and others stay. */
  readonly hasAllAnnotations?: boolean;
  readonly owner: OwnerReference;
}

// A name may have 253 characters, of which the random ending takes five and the dash one.
const LONGEST_PREFIX = 247;

/** New endpoints are written before old ones are taken away, so that a moved endpoint is never in no slice. */
export async function writeSlices(
  { client, writes }: { client: Client; writes: Writes },
  head: SliceHead,
  plan: SlicePlan,
): Promise<void> {
  for (const content of plan.create)
    writes.wrote(endpointSlices, await client.create(endpointSlices, draftOf(head, content)));
  for (const { slice, content } of plan.update) await update(slice, content);
  for (const slice of plan.keep)
    if (!hasHead(slice, head))
      await update(slice, { ports: slice.ports ?? [], endpoints: slice.endpoints ?? [] });
  await removeSlices({ client, writes }, plan.remove);

  async function update(slice: Readonly<EndpointSlice>, content: SliceContent): Promise<void> {
    const draft = draftOf(head, content);
    const { generateName: _made, annotations, ...metadata } = draft.metadata;
    const merged = {
      ...slice,
      ...draft,
      metadata: {
        ...slice.metadata,
        ...metadata,
        annotations: head.hasAllAnnotations ? annotations : { ...slice.metadata.annotations, ...annotations },
      },
    };
    writes.wrote(endpointSlices, await client.update(endpointSlices, merged));
  }
}

function hasHead({ metadata }: Readonly<EndpointSlice>, head: SliceHead): boolean {
  if (!equalJson(metadata.labels ?? {}, head.labels)) return false;
  return !head.hasAllAnnotations || equalJson(metadata.annotations ?? {}, head.annotations);
}

export async function removeSlices(
  { client, writes }: { client: Client; writes: Writes },
  slices: readonly Readonly<EndpointSlice>[],
): Promise<void> {
  for (const slice of slices) {
    const { namespace, name, uid } = slice.metadata;
    try {
      await client.delete(endpointSlices, { namespace, name }, { preconditions: { uid } });
      writes.deleted(endpointSlices, slice);
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
  }
}

function draftOf(
  { namespace, service, addressType, labels, annotations, owner }: SliceHead,
  content: SliceContent,
) {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      namespace,
      generateName: `${service.slice(0, LONGEST_PREFIX)}-`,
      labels: { ...labels },
      annotations: { ...annotations },
      ownerReferences: [owner],
    },
    addressType,
    endpoints: [...content.endpoints],
    ports: [...content.ports],
  };
}
