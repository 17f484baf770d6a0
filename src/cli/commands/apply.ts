// `kubemu apply -f`: server-side apply by the manager `kubemu`, which takes over the fields that it sets. Unlike kubectl (whose default
// compares three versions on the client's side): a field that another manager set and that the manifest no longer names stays.
import { type Invocation, UsageError } from "../command.ts";
import { readManifests } from "../manifest-files.ts";
import { objectPrinter } from "../output-format.ts";
import { typeName } from "../resource-types.ts";
import { inWords, note, say, withSession } from "../session.ts";

export const apply = (invocation: Invocation): Promise<number> =>
  withSession(invocation, async (session) => {
    const { filename, output } = invocation.options;
    if (filename === undefined) throw new UsageError("must specify one of -f FILE|DIR|-");
    const printer = objectPrinter(output);
    const { client } = session;
    let failed = 0;
    for (const { type, namespace, object } of await readManifests(filename as readonly string[], session)) {
      const at = { namespace, name: object.metadata.name };
      try {
        const before = await client.find(type.resource, at);
        const after = await client.patch(type.resource, at, "apply", object, {
          fieldManager: "kubemu",
          force: true,
          fieldValidation: "Strict",
          onWarnings: (warnings) => {
            for (const warning of warnings) note(`Warning: ${warning}`);
          },
        });
        if (printer) {
          process.stdout.write(printer([{ type, object: after }], false));
          continue;
        }
        const isSame = before?.metadata.resourceVersion === after.metadata.resourceVersion;
        say(`${typeName(type)}/${at.name} ${before ? (isSame ? "unchanged" : "configured") : "created"}`);
      } catch (error) {
        failed++;
        note(inWords(error));
      }
    }
    return failed > 0 ? 1 : 0;
  });
