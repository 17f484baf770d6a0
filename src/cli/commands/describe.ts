// `kubemu describe`: an object in words, with what has happened to it.
import { events } from "../../api/kinds/event.ts";
import { systemClock } from "../../base/clock.ts";
import type { Invocation } from "../command.ts";
import { align } from "../describe/align.ts";
import { eventLines } from "../describe/common.ts";
import { describeFields } from "../describe/fields.ts";
import { descriptions } from "../describe/kinds.ts";
import type { Shown } from "../output-format.ts";
import { readSelected, selectedObjects } from "../selected-objects.ts";
import { note, type Session, withSession } from "../session.ts";

// kubectl looks for no events of these.
const QUIET: ReadonlySet<string> = new Set([
  "Namespace",
  "Secret",
  "ResourceQuota",
  "LimitRange",
  "NetworkPolicy",
]);

export const describe = (invocation: Invocation): Promise<number> =>
  withSession(invocation, async (session) => {
    const found = await readSelected(session, await selectedObjects(session, invocation), invocation);
    const texts = await Promise.all(found.map((shown) => describeOne(session, shown)));
    process.stdout.write(texts.join("\n\n"));
    if (found.length === 0) note(`No resources found in ${session.namespace} namespace.`);
    return 0;
  });

async function describeOne({ client }: Session, { type, object }: Shown): Promise<string> {
  const { kind, group } = type.resource;
  const { name, namespace, uid } = object.metadata;
  const own = descriptions[group ? `${kind}.${group}` : kind];
  const body = own ? await own(object as never, client) : describeFields(object);
  // What happens to a Node is told under its name, not its uid.
  const about = `involvedObject.name=${name},involvedObject.kind=${kind}${kind === "Node" ? "" : `,involvedObject.uid=${uid}`}`;
  const { items } = await client.list(events, { ...(namespace ? { namespace } : {}), fieldSelector: about });
  const said = QUIET.has(kind) && items.length === 0 ? "" : eventLines(items, systemClock.now());
  return align(body + said);
}
