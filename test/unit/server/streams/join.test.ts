import { once } from "node:events";
import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { join } from "../../../../src/server/streams/join.ts";

/** An end that takes a turn of the event loop for a write, and keeps what was written together. */
function recorder() {
  const writes: string[][] = [];
  const duplex = new Duplex({
    read() {},
    writev(batch, done) {
      writes.push(batch.map(({ chunk }) => String(chunk)));
      setImmediate(done);
    },
  });
  return { duplex, writes };
}

test("what comes in parts leaves in the same parts, and an end is passed on", async () => {
  const [agent, client] = [recorder(), recorder()];
  join(agent.duplex, client.duplex);
  for (const part of ["first", "second", "third", null]) agent.duplex.push(part);
  await once(client.duplex, "finish");
  expect(client.writes).toEqual([["first"], ["second"], ["third"]]);
  client.duplex.push("answer");
  client.duplex.push(null);
  await once(agent.duplex, "finish");
  expect(agent.writes).toEqual([["answer"]]);
});

test("a failure cuts the other side", async () => {
  const [agent, client] = [recorder(), recorder()];
  join(agent.duplex, client.duplex);
  const closed = once(client.duplex, "close");
  agent.duplex.on("error", () => {}).destroy(new Error("reset"));
  await closed;
  expect(client.duplex.destroyed).toBe(true);
});
