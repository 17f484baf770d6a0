// `kubemu rollout status|history|undo|restart|pause|resume`.
import type { ReplicaSet } from "../../api/generated/types.ts";
import { replicaSets } from "../../api/kinds/replica-set.ts";
import type { KubeObject } from "../../api/object.ts";
import { systemClock } from "../../base/clock.ts";
import { awaitObject } from "../../client/await-object.ts";
import type { Client } from "../../client/client.ts";
import {
  type Revision,
  restartPatch,
  revisionsOf,
  revisionToUndo,
  rolloutProgress,
  undoPatch,
} from "../../client/rollout.ts";
import { type Invocation, parseDuration, UsageError } from "../command.ts";
import { align } from "../describe/align.ts";
import { templateLines } from "../describe/pod-template.ts";
import type { Shown } from "../output-format.ts";
import { typeName } from "../resource-types.ts";
import { readSelected, selectedObjects } from "../selected-objects.ts";
import { note, type Session, say, withSession } from "../session.ts";

const ACTIONS: Readonly<
  Record<string, (session: Session, shown: Shown, options: Invocation["options"]) => Promise<boolean>>
> = {
  status,
  history,
  undo,
  restart: (session, shown) =>
    change(session, shown, { patch: restartPatch(systemClock.now()), said: "restarted" }),
  pause: (session, shown) => setPaused(session, shown, true),
  resume: (session, shown) => setPaused(session, shown, false),
};

export const rollout = (invocation: Invocation): Promise<number> =>
  withSession(invocation, async (session) => {
    const [action = "", ...rest] = invocation.arguments;
    const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (!act)
      throw new UsageError(
        `unknown action ${JSON.stringify(action)}; allowed: ${Object.keys(ACTIONS).join(", ")}`,
      );
    const about = { ...invocation, arguments: rest };
    const found = await readSelected(session, await selectedObjects(session, about), about);
    let allWell = true;
    for (const shown of found) allWell = (await act(session, shown, invocation.options)) && allWell;
    return allWell ? 0 : 1;
  });

async function status(
  { client }: Session,
  { type, object }: Shown,
  options: Invocation["options"],
): Promise<boolean> {
  const { kind } = type.resource;
  const over = new AbortController();
  const limitMs =
    options["timeout"] === undefined ? 0 : parseDuration("--timeout", String(options["timeout"]));
  const cancel = limitMs > 0 ? systemClock.after(limitMs, () => over.abort()) : () => {};
  let last = "";
  const result = await awaitObject(client, type.resource, object.metadata, {
    signal: over.signal,
    decide(now) {
      if (!now) throw new Error(`object has been deleted`);
      const progress = rolloutProgress(kind, now);
      if (progress.failed) throw new Error(progress.message);
      if (progress.message !== last) say(progress.message);
      last = progress.message;
      return progress.done || options["watch"] === "false" ? true : undefined;
    },
  });
  cancel();
  if (result === undefined) throw new Error("timed out waiting for the condition");
  return true;
}

async function readRevisions(client: Client, { type, object }: Shown): Promise<Revision[]> {
  if (type.resource.kind !== "Deployment")
    throw new Error(`no history viewer has been implemented for ${JSON.stringify(type.resource.kind)}`);
  const { items } = await client.list<ReplicaSet>(replicaSets, {
    namespace: object.metadata.namespace ?? "",
  });
  return revisionsOf(object, items);
}

async function history({ client }: Session, shown: Shown, options: Invocation["options"]): Promise<boolean> {
  const revisions = await readRevisions(client, shown);
  const name = `${typeName(shown.type)}/${shown.object.metadata.name}`;
  const wanted = options["revision"] === undefined ? 0 : Number(options["revision"]);
  if (wanted > 0) {
    const found = revisions.find(({ number }) => number === wanted);
    if (!found) throw new Error(`unable to find the specified revision`);
    say(`${name} with revision #${wanted}`);
    process.stdout.write(`${templateLines(found.template)}\n`);
    return true;
  }
  say(`${name} `);
  const rows = revisions.map(({ number, cause }) => [String(number), cause]);
  const lines = [["REVISION", "CHANGE-CAUSE"], ...rows].map((row) => row.join("\t"));
  process.stdout.write(`${align(lines.join("\n"))}\n\n`);
  return true;
}

async function undo(session: Session, shown: Shown, options: Invocation["options"]): Promise<boolean> {
  const { type, object } = shown;
  const { client } = session;
  if ((object as { spec?: { paused?: boolean } }).spec?.paused)
    throw new Error(
      `you cannot rollback a paused deployment; resume it first with 'kubemu rollout resume' and try again`,
    );
  const revision = revisionToUndo(await readRevisions(client, shown), Number(options["toRevision"] ?? 0));
  const patched = await client.patch(type.resource, object.metadata, "json", undoPatch(revision));
  const isSame = patched.metadata.generation === object.metadata.generation;
  const skipped = `skipped rollback (current template already matches revision ${revision.number})`;
  say(`${typeName(type)}/${object.metadata.name} ${isSame ? skipped : "rolled back"}`);
  return true;
}

async function setPaused(session: Session, shown: Shown, paused: boolean): Promise<boolean> {
  const name = `${shown.type.resource.plural}.${shown.type.resource.group} ${JSON.stringify(shown.object.metadata.name)}`;
  if (shown.type.resource.kind !== "Deployment")
    throw new Error(`${shown.type.resource.plural} pausing is not supported`);
  const isPaused = (shown.object as KubeObject & { spec?: { paused?: boolean } }).spec?.paused === true;
  if (isPaused === paused) {
    note(`error: ${name} ${paused ? "is already paused" : "is not paused"}`);
    return false;
  }
  return change(session, shown, {
    patch: { spec: { paused: paused || null } },
    said: paused ? "paused" : "resumed",
  });
}

async function change(
  { client }: Session,
  { type, object }: Shown,
  { patch, said }: { patch: unknown; said: string },
): Promise<boolean> {
  await client.patch(type.resource, object.metadata, "strategic", patch, { fieldManager: "kubectl-rollout" });
  say(`${typeName(type)}/${object.metadata.name} ${said}`);
  return true;
}
