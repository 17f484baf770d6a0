// `kubemu delete`: by name, file, selector or all, and waits until they are gone unless told otherwise.
import { hasReason } from "../../api/status-error.ts";
import { awaitObject } from "../../client/await-object.ts";
import type { DeleteOptions } from "../../client/client.ts";
import { type Invocation, UsageError } from "../command.ts";
import { typeName } from "../resource-types.ts";
import { namedObjects, type Selected } from "../selected-objects.ts";
import { inWords, note, type Session, say, withSession } from "../session.ts";

const POLICIES = { background: "Background", foreground: "Foreground", orphan: "Orphan" } as const;

export const remove = (invocation: Invocation): Promise<number> =>
  withSession(invocation, async (session) => {
    const { options } = invocation;
    const selected = await namedObjects(session, invocation);
    const how = deleteOptions(options);
    if (options["force"] === true)
      note(
        "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.",
      );
    let failed = 0;
    const going: (Selected & { name: string; uid: string })[] = [];
    for (const one of selected) {
      try {
        const object = await session.client.get(one.type.resource, one);
        await session.client.delete(one.type.resource, one, how);
        going.push({ ...one, uid: object.metadata.uid });
        say(
          options["output"] === "name"
            ? `${typeName(one.type)}/${one.name}`
            : `${typeName(one.type)} ${JSON.stringify(one.name)} ${options["force"] === true ? "force deleted" : "deleted"}`,
        );
      } catch (error) {
        if (options["ignoreNotFound"] === true && hasReason(error, "NotFound")) continue;
        failed++;
        note(inWords(error));
      }
    }
    if (options["wait"] !== "false") await Promise.all(going.map((one) => awaitGone(session, one)));
    if (selected.length === 0) say("No resources found");
    return failed > 0 ? 1 : 0;
  });

function deleteOptions(options: Invocation["options"]): DeleteOptions {
  const { gracePeriod, force, now, cascade = "background" } = options;
  const policy = POLICIES[String(cascade) as keyof typeof POLICIES];
  if (!policy)
    throw new UsageError(`--cascade takes background, foreground or orphan, not ${JSON.stringify(cascade)}`);
  if (gracePeriod !== undefined && !/^-?\d+$/.test(String(gracePeriod)))
    throw new UsageError(`--grace-period takes a number of seconds, not ${JSON.stringify(gracePeriod)}`);
  const seconds =
    force === true ? 0 : now === true ? 1 : gracePeriod === undefined ? -1 : Number(gracePeriod);
  return { propagationPolicy: policy, ...(seconds < 0 ? {} : { gracePeriodSeconds: seconds }) };
}

/** Also where another object has taken its name. */
async function awaitGone(
  { client }: Session,
  { type, uid, ...at }: Selected & { name: string; uid: string },
) {
  const decide = (object: { metadata: { uid: string } } | undefined) =>
    object?.metadata.uid !== uid || undefined;
  await awaitObject(client, type.resource, at, { decide });
}
