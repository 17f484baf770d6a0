// DELETE on a collection: each object that a list of the same query has, one delete at a time.
import { hasReason } from "../../api/status-error.ts";
import type { ObjectEntry, ServerContext } from "../context.ts";
import { PLAIN } from "../negotiation.ts";
import type { ApiRequest, DocumentAnswer } from "../request.ts";
import { presentList } from "./present.ts";
import { selectPage } from "./read.ts";
import { deleteNamed, readDeletion } from "./remove.ts";
import { type Target, writeOf } from "./target.ts";

const AT_ONCE = 250;

export async function deleteCollection(
  context: ServerContext,
  target: Target,
  request: ApiRequest,
): Promise<DocumentAnswer> {
  const deletion = await readDeletion(context, request);
  const { entries: found, meta } = selectPage(context, target, request.query);
  const remove = async ({ object: { metadata } }: ObjectEntry) => {
    const { name, namespace } = metadata;
    try {
      await deleteNamed(context, writeOf({ ...target, namespace, name }, request, "DELETE"), deletion);
    } catch (error) {
      // Somebody else was faster.
      if (!hasReason(error, "NotFound")) throw error;
    }
  };
  // Many at once, since they share commits; not all, since others wait meanwhile.
  for (let start = 0; start < found.length; start += AT_ONCE)
    await Promise.all(found.slice(start, start + AT_ONCE).map(remove));
  return presentList(context, target, found, { format: PLAIN, meta });
}
