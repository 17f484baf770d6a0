// The wire forms of watch events: JSON lines and protobuf frames. That of a stored object is made once, however many watchers it goes to.
import type { KubeObject } from "../../api/object.ts";
import type { ObjectEntry } from "../context.ts";
import type { WatchLine } from "../request.ts";

type Type = WatchLine["type"];
export type Shown = Pick<ObjectEntry, "object" | "json">;
export type PlainLine = (type: Type, entry: Shown) => WatchLine;

export interface WatchLines {
  /** For what is stored. */
  readonly plain: PlainLine;
  /** For what was made for one watcher. */
  fresh(type: Type, value: unknown): WatchLine;
}

/** `json` makes the JSON text of `value`. */
type Wire = (type: Type, value: unknown, json: () => string) => Buffer;

export const createJsonLines = (): WatchLines =>
  createLines((type, _, json) => Buffer.from(`{"type":"${type}","object":${json()}}\n`));

/** `encode` gives undefined for what has no message: the watch of such a kind is refused beforehand. */
export const createProtobufLines = (encode: (type: Type, value: unknown) => Buffer | undefined): WatchLines =>
  createLines((type, value) => {
    const frame = encode(type, value);
    if (!frame) throw new Error("an object without a protobuf message in a protobuf watch");
    return frame;
  });

function createLines(wire: Wire): WatchLines {
  // An event goes to all of its watchers before the next one comes.
  let last: { object: KubeObject; line: WatchLine } | undefined;
  return {
    plain(type, { object, json }) {
      if (last?.line.type === type && last.object === object) return last.line;
      let bytes: Buffer | undefined;
      const line: WatchLine = {
        type,
        object: () => object,
        line: () => {
          bytes ??= wire(type, object, () => json);
          return bytes;
        },
      };
      last = { object, line };
      return line;
    },
    fresh: (type, value) => ({
      type,
      object: () => value,
      line: () => wire(type, value, () => JSON.stringify(value)),
    }),
  };
}
