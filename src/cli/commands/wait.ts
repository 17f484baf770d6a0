// `kubemu wait --for=condition=…|jsonpath=…|delete|create`.
import type { KubeObject } from "../../api/object.ts";
import { groupResourceOf } from "../../api/resource.ts";
import { systemClock } from "../../base/clock.ts";
import { awaitObject } from "../../client/await-object.ts";
import { type Invocation, parseDuration, UsageError } from "../command.ts";
import { parseJsonPath, textOf } from "../jsonpath.ts";
import { typeName } from "../resource-types.ts";
import { namedObjects } from "../selected-objects.ts";
import { note, say, withSession } from "../session.ts";

type Check = (object: Readonly<KubeObject> | undefined) => boolean;
const USUAL_TIMEOUT = "30s";

export const wait = (invocation: Invocation): Promise<number> =>
  withSession(invocation, async (session) => {
    const condition = invocation.options["for"];
    if (typeof condition !== "string")
      throw new UsageError("--for=condition=…|jsonpath=…|delete|create is required");
    const check = parseCondition(condition);
    const timeoutMs = parseDuration("--timeout", String(invocation.options["timeout"] ?? USUAL_TIMEOUT));
    const selected = await namedObjects(session, invocation);
    if (selected.length === 0 && condition !== "delete") throw new Error("no matching resources found");
    const over = new AbortController();
    const cancel = systemClock.after(timeoutMs, () => over.abort());
    const results = await Promise.all(
      selected.map(async ({ type, ...at }) => {
        const decide = (object: Readonly<KubeObject> | undefined) => {
          if (!object && condition !== "delete" && condition !== "create")
            throw new Error(
              `Error from server (NotFound): ${groupResourceOf(type.resource)} ${JSON.stringify(at.name)} not found`,
            );
          return check(object) || undefined;
        };
        const isMet = await awaitObject(session.client, type.resource, at, { decide, signal: over.signal });
        if (isMet) say(`${typeName(type)}/${at.name} condition met`);
        else note(`error: timed out waiting for the condition on ${type.resource.plural}/${at.name}`);
        return isMet === true;
      }),
    );
    cancel();
    return results.every(Boolean) ? 0 : 1;
  });

interface WithConditions extends KubeObject {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly observedGeneration?: number;
    }[];
  };
}

/** `condition=Ready`, `condition=Ready=false`, `jsonpath={.status.phase}=Running`, `jsonpath={.status.loadBalancer}`, `delete`, `create`. */
export function parseCondition(text: string): Check {
  if (text === "delete") return (object) => object === undefined;
  if (text === "create") return (object) => object !== undefined;
  const [, name, value = "true"] = /^condition=([^=]+)(?:=(.*))?$/.exec(text) ?? [];
  if (name) return (object) => hasCondition(object as WithConditions | undefined, name, value);
  const [, template, wanted] = /^jsonpath=['"]?(\{.*\}|[^=]*?)['"]?(?:=(.*))?$/s.exec(text) ?? [];
  if (!template) throw new UsageError(`unrecognized condition: ${JSON.stringify(text)}`);
  const path = parseJsonPath(template);
  return (object) => {
    const found = object === undefined ? [] : path.find(object);
    if (found.length > 1) throw new Error("given jsonpath expression matches more than one value");
    if (wanted === undefined) return found.length === 1 && textOf(found[0]) !== "";
    return found.length === 1 && textOf(found[0]) === wanted;
  };
}

/** A condition that its controller wrote about an earlier generation says nothing about this one. */
function hasCondition(object: WithConditions | undefined, name: string, value: string): boolean {
  const found = object?.status?.conditions?.find(({ type }) => type.toLowerCase() === name.toLowerCase());
  if (!object || !found) return false;
  const seen = found.observedGeneration ?? object.status?.observedGeneration ?? 0;
  if (seen > 0 && seen < (object.metadata.generation ?? 0)) return false;
  return found.status.toLowerCase() === value.toLowerCase();
}
