// One direction of a joined pair of sockets: what one end says reaches the other, no faster than that takes it, and on a faulty link
// as late as the fault has it.
import type { Socket } from "node:net";
import { createDelayLine, type DelayLine, type FaultyLink } from "./faults.ts";

// What may be under way on a slow link before its sender is held back.
const WINDOW_BYTES = 1024 * 1024;

type Item = Buffer | "end" | "reset" | "cut";

export interface Passage {
  take(chunk: Buffer): void;
  end(): void;
  reset(): void;
  /** The other end is gone without a word. */
  cut(): void;
  /** Forgets the receiver: another one takes its place. */
  drop(): void;
}

export function createPassage(from: Socket, to: Socket, link: FaultyLink): Passage {
  let line: DelayLine<Item> | undefined;
  let underWay = 0;
  const resume = () => {
    if (underWay < WINDOW_BYTES && !to.writableNeedDrain) from.resume();
  };
  const hand = (item: Item) => {
    if (to.destroyed) return;
    if (item === "end") to.end();
    else if (item === "reset") resetSocket(to);
    else if (item === "cut") to.destroy();
    else {
      const hadRoom = to.write(item);
      underWay -= item.length;
      if (hadRoom) resume();
      else from.pause();
    }
  };
  const send = (item: Item) => {
    line ??= createDelayLine(link, hand);
    if (typeof item !== "string") underWay += item.length;
    line.push(item);
    if (underWay >= WINDOW_BYTES) from.pause();
  };
  const isLate = () => link.fault !== undefined || (line !== undefined && !line.idle);
  const close = (item: Item) => (isLate() ? send(item) : hand(item));
  to.on("drain", resume);
  return {
    take(chunk) {
      if (isLate()) send(chunk);
      else if (!to.write(chunk)) from.pause();
    },
    end: () => close("end"),
    reset: () => close("reset"),
    cut: () => close("cut"),
    drop() {
      line?.drop();
      to.off("drain", resume);
    },
  };
}

/** With a reset where that can be sent: TLS has none of its own. */
export function resetSocket(socket: Socket): void {
  if ("encrypted" in socket) socket.destroy();
  else socket.resetAndDestroy();
}
