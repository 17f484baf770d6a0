import { EventEmitter } from "node:events";
import type { ClientRequest } from "node:http";
import { expect, test } from "vitest";
import { createLink } from "../../../src/client/link.ts";

function request() {
  const emitter = Object.assign(new EventEmitter(), {
    destroyed: false as unknown,
    destroy(error: Error) {
      emitter.destroyed = error;
      emitter.emit("close");
    },
  });
  return emitter as unknown as Omit<ClientRequest, "destroyed"> & ClientRequest & { destroyed: unknown };
}

test("a cut ends what is under way and what comes after, until it is healed", () => {
  const link = createLink();
  const [done, open] = [request(), request()];
  link.carry(done);
  link.carry(open);
  done.emit("close");
  link.cut();
  expect(done.destroyed).toBe(false);
  expect((open.destroyed as unknown as { code?: string }).code).toBe("ENETUNREACH");
  const late = request();
  link.carry(late);
  expect(late.destroyed).toBeInstanceOf(Error);
  link.heal();
  const after = request();
  link.carry(after);
  expect(after.destroyed).toBe(false);
});
