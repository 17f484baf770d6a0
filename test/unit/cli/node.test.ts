import { expect, test } from "vitest";
import { UsageError } from "../../../src/cli/command.ts";
import { node } from "../../../src/cli/commands/node.ts";

const run = (...words: string[]) =>
  node({ name: "kubemu", dataDir: "/nowhere", arguments: words, options: {} });

test("a name that an action has no use for is refused, not left unread", async () => {
  await expect(run("list", "node-1")).rejects.toThrow(new UsageError("node list takes no name"));
});

test("an action that there is none of is refused with those that there are", async () => {
  await expect(run("reboot", "node-1")).rejects.toThrow(/unknown action "reboot"; allowed: list, kill, /);
});
