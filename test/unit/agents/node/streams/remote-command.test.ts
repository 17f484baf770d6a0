import { Writable } from "node:stream";
import { expect, test } from "vitest";
import type { AttachedContainer, NodeHost } from "../../../../../agents/node/streams/host.ts";
import { type ClientStreams, runAttach } from "../../../../../agents/node/streams/remote-command.ts";
import { createTerminalSizes } from "../../../../../agents/node/streams/terminal-size.ts";
import type { Pod } from "../../../../../src/api/generated/types.ts";

const pod = { metadata: { name: "web" }, spec: { containers: [{ name: "main" }] } } as Pod;

/** Attached to a container, for a client that takes a chunk only when it is told to. */
function attachSlowly() {
  const leaving = new AbortController();
  let listener: Parameters<AttachedContainer["onOutput"]>[0] = () => undefined;
  const taken: (() => void)[] = [];
  const stdout = new Writable({ highWaterMark: 4, write: (_data, _encoding, took) => taken.push(took) });
  const client: ClientStreams = {
    stdin: undefined,
    stdout,
    stderr: undefined,
    sizes: createTerminalSizes(),
    finish: () => {},
    gone: leaving.signal,
  };
  const attached: AttachedContainer = {
    stdin: undefined,
    onOutput(given) {
      listener = given;
      return () => {};
    },
    ended: new Promise(() => {}),
  };
  const host = { attach: () => attached } as Partial<NodeHost> as NodeHost;
  const request = {
    pod,
    container: "main",
    command: [],
    stdin: false,
    stdout: true,
    stderr: true,
    tty: false,
  };
  void runAttach(host, request, client);
  return {
    say: (text: string) => listener("stdout", Buffer.from(text)),
    take: () => taken.shift()?.(),
    leave: () => leaving.abort(),
  };
}

test("a container is told to wait for who is attached, until that has taken what there is", async () => {
  const { say, take } = attachSlowly();
  expect(say("one")).toBeUndefined();
  const enough = say("two");
  expect(enough).toBeInstanceOf(Promise);
  take();
  take();
  await enough;
});

test("nobody waits for a client that has left", async () => {
  const { say, leave } = attachSlowly();
  const enough = say("a lot of words");
  leave();
  await enough;
});
