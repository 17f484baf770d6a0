// DELETE on a collection: each object that the selectors match, one delete at a time.

import { apiVersionOf } from "../../api/resource.ts";
import { hasReason } from "../../api/status-error.ts";
import type { ServerContext } from "../context.ts";
import { type ApiRequest, type DocumentAnswer, documentOf } from "../request.ts";
import { servedEntry } from "./present.ts";
import { snapshot } from "./read.ts";
import { deleteNamed, readDeletion } from "./remove.ts";
import { selectionOf } from "./selection.ts";
import { type Target, writeOf } from "./target.ts";

export async function deleteCollection(
  context: ServerContext,
  target: Target,
  request: ApiRequest,
): Promise<DocumentAnswer> {
  const deletion = await readDeletion(context, request);
  const selection = selectionOf(target.served, request.query);
  const found = snapshot(context, target, { selection }).filter(({ object }) => selection.matches(object));
  const resourceVersion = String(context.store.revision);
  // All at once: they share commits.
  await Promise.all(
    found.map(async ({ object: { metadata } }) => {
      const { name, namespace } = metadata;
      try {
        await deleteNamed(context, writeOf({ ...target, namespace, name }, request, "DELETE"), deletion);
      } catch (error) {
        // Somebody else was faster.
        if (!hasReason(error, "NotFound")) throw error;
      }
    }),
  );
  const { resource } = target.served;
  return documentOf({
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata: { resourceVersion },
    items: found.map((entry) => servedEntry(target.served, entry).object),
  });
}
