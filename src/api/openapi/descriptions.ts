// The prose of `kubectl explain`. It is not in the repository: tools/descriptions.mjs takes it from a published package when
// kubemu is built and lays it beside the program. Where it is missing, explain works and shows structure only.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Type name → field name → text; the empty field name is the type's own description. */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>;

const FILE = "descriptions.json";

/**
 * Reads descriptions.json from `folder`, or from beside the built program. Never fails: there are no descriptions where
 * there is no such file.
 */
export function readDescriptions(folder?: string): Descriptions {
  // Built, this module lies in dist/chunks/ or in dist/ itself.
  const places = folder
    ? [`${folder}/${FILE}`]
    : [`./${FILE}`, `../${FILE}`].map((place) => fileURLToPath(new URL(place, import.meta.url)));
  for (const place of places) {
    try {
      return JSON.parse(readFileSync(place, "utf8")) as Descriptions;
    } catch {
      // The next place, or none.
    }
  }
  return {};
}
