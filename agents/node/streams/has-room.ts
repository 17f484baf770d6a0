import type { Writable } from "node:stream";

/** Resolves when `to`, which had enough, takes more, or is gone. */
export const hasRoom = (to: Writable): Promise<void> =>
  new Promise((resolve) => {
    const go = () => {
      to.off("drain", go).off("close", go);
      resolve();
    };
    to.once("drain", go).once("close", go);
  });
