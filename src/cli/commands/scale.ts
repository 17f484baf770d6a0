import { type Invocation, parseCount, UsageError } from "../command.ts";
import { typeName } from "../resource-types.ts";
import { readSelected, selectedObjects } from "../selected-objects.ts";
import { say, withSession } from "../session.ts";

const MOST_REPLICAS = 2 ** 31 - 1;

export const scale = (invocation: Invocation): Promise<number> =>
  withSession(invocation, async (session) => {
    const { replicas, currentReplicas } = invocation.options;
    if (replicas === undefined) throw new UsageError("The --replicas=COUNT flag is required");
    const count = parseCount("--replicas", String(replicas), [0, MOST_REPLICAS]);
    const found = await readSelected(session, await selectedObjects(session, invocation), invocation);
    if (found.length === 0) throw new Error("no objects passed to scale");
    for (const { type, object } of found) {
      const current = (object as { spec?: { replicas?: number } }).spec?.replicas;
      if (currentReplicas !== undefined && current !== Number(currentReplicas))
        throw new Error(`Expected replicas to be ${currentReplicas}, was ${current}`);
      await session.client.patch(
        type.resource,
        object.metadata,
        "merge",
        { spec: { replicas: count } },
        { subresource: "scale" },
      );
      say(`${typeName(type)}/${object.metadata.name} scaled`);
    }
    return 0;
  });
