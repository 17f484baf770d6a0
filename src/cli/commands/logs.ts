// `kubemu logs POD|TYPE/NAME`, and `-l` for several pods at once.
import { createInterface } from "node:readline";
import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { pathOf } from "../../api/resource.ts";
import { type Invocation, parseDuration, UsageError } from "../command.ts";
import { podsOf, usualContainer } from "../pod-of.ts";
import { note, type Session, withSession } from "../session.ts";

// kubectl's: whoever asks many pods wants their ends.
const TAIL_OF_MANY = 10;

export const logs = (invocation: Invocation): Promise<number> =>
  withSession(invocation, async (session) => {
    const { options } = invocation;
    const [word, container = options["container"]] = invocation.arguments;
    if ((word === undefined) === (options["selector"] === undefined))
      throw new UsageError("logs takes POD or TYPE/NAME, or -l SELECTOR");
    const found =
      word === undefined
        ? await selectedPods(session, String(options["selector"]))
        : await onePod(session, word);
    if (found.length === 0) note(`No resources found in ${session.namespace} namespace.`);
    const sources = found.flatMap((pod) => {
      if (options["allContainers"] === true) return pod.spec.containers.map(({ name }) => ({ pod, name }));
      const { name, hint } = usualContainer(pod, container);
      if (hint) note(hint);
      return [{ pod, name }];
    });
    const query = logQuery(options, word === undefined);
    const follow = options["follow"] === true;
    if (!follow) for (const source of sources) await show(session, source, { query, options });
    else await Promise.all(sources.map((source) => show(session, source, { query, options })));
    return 0;
  });

async function onePod(session: Session, word: string): Promise<Pod[]> {
  const { pods: found, owner } = await podsOf(session, word);
  const [first] = found;
  if (owner && found.length > 1 && first)
    note(`Found ${found.length} pods, using pod/${first.metadata.name}`);
  return first ? [first] : [];
}

async function selectedPods({ client, namespace }: Session, labelSelector: string): Promise<readonly Pod[]> {
  return (await client.list(pods, { namespace, labelSelector })).items;
}

function logQuery(options: Invocation["options"], many: boolean): URLSearchParams {
  const query = new URLSearchParams();
  for (const flag of ["follow", "previous", "timestamps"])
    if (options[flag] === true) query.set(flag, "true");
  const tail = options["tail"] ?? (many ? TAIL_OF_MANY : -1);
  if (!/^-?\d+$/.test(String(tail)))
    throw new UsageError(`--tail takes a number of lines, not ${JSON.stringify(tail)}`);
  if (Number(tail) >= 0) query.set("tailLines", String(tail));
  if (options["since"] !== undefined)
    query.set("sinceSeconds", String(Math.ceil(parseDuration("--since", String(options["since"])) / 1000)));
  return query;
}

async function show(
  session: Session,
  { pod, name }: { pod: Pod; name: string },
  { query, options }: { query: URLSearchParams; options: Invocation["options"] },
): Promise<void> {
  const streams = await session.streams();
  const body = await streams.read({
    path: pathOf(pods, { ...pod.metadata, subresource: "log" }),
    query: new URLSearchParams([...query, ["container", name]]),
  });
  if (options["prefix"] === true) {
    for await (const line of createInterface({ input: body }))
      process.stdout.write(`[pod/${pod.metadata.name}/${name}] ${line}\n`);
    return;
  }
  for await (const chunk of body)
    if (!process.stdout.write(chunk as Buffer))
      await new Promise((next) => process.stdout.once("drain", next));
}
