import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { anySlot, claimSlot, findLowestPort, hasManyAddresses } from "../../../src/supervisor/addresses.ts";

const binds = (host: string, port: number) =>
  new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });

// On a machine with 127.0.0.1 alone there are no slots to share.
describe.runIf(hasManyAddresses())("a cluster's slot", () => {
  test("is held until it is given back, and then free for the next", async () => {
    const first = await claimSlot(undefined);
    expect(first.number).toBeGreaterThanOrEqual(16);
    expect(first.number).toBeLessThanOrEqual(250);
    const second = await claimSlot(first.number);
    expect(second.number).not.toBe(first.number);
    first.release();
    await expect.poll(() => binds(`127.${first.number}.255.254`, 7443)).toBe(true);
    second.release();
  });

  test("is the one it had last, where that is free", async () => {
    const slot = await claimSlot(undefined);
    slot.release();
    await expect.poll(() => binds(`127.${slot.number}.255.254`, 7443)).toBe(true);
    const again = await claimSlot(slot.number);
    expect(again.number).toBe(slot.number);
    again.release();
  });

  test("differs for clusters that start at the same moment", async () => {
    const slots = await Promise.all(Array.from({ length: 8 }, () => claimSlot(undefined, () => 0.5)));
    expect(new Set(slots.map(({ number }) => number)).size).toBe(8);
    for (const slot of slots) slot.release();
  });
});

test("without ranges the number is kept, or any of the range", () => {
  expect(anySlot(42).number).toBe(42);
  expect(anySlot(undefined, () => 0).number).toBe(16);
  expect(anySlot(undefined, () => 0.999999).number).toBe(250);
});

test("the lowest port can be bound, or is above those that are root's", async () => {
  const lowest = findLowestPort();
  expect(lowest).toBeGreaterThanOrEqual(0);
  if (lowest > 0) expect(await binds("127.0.0.1", lowest - 1)).toBe(false);
});
