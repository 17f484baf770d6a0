// `kubemu set image TYPE/NAME CONTAINER=IMAGE …`.
import { imagePatch } from "../../client/rollout.ts";
import { type Invocation, UsageError } from "../command.ts";
import { typeName } from "../resource-types.ts";
import { readSelected, selectedObjects } from "../selected-objects.ts";
import { say, withSession } from "../session.ts";

export const set = (invocation: Invocation): Promise<number> =>
  withSession(invocation, async (session) => {
    const [what, ...rest] = invocation.arguments;
    if (what !== "image") throw new UsageError(`unknown command ${JSON.stringify(what)}; allowed: image`);
    const isImage = (word: string) => word.includes("=");
    const images = Object.fromEntries(
      rest
        .filter(isImage)
        .map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]),
    );
    if (Object.keys(images).length === 0)
      throw new UsageError("at least one image update is required: CONTAINER=IMAGE");
    const about = { ...invocation, arguments: rest.filter((word) => !isImage(word)) };
    const found = await readSelected(session, await selectedObjects(session, about), about);
    for (const { type, object } of found) {
      const after = await session.client.patch(
        type.resource,
        object.metadata,
        "strategic",
        imagePatch(object, images),
        {
          fieldManager: "kubectl-set",
        },
      );
      // kubectl is silent about what it leaves as it was.
      if (after.metadata.resourceVersion !== object.metadata.resourceVersion)
        say(`${typeName(type)}/${object.metadata.name} image updated`);
    }
    return 0;
  });
