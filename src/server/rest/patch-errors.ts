// What is said of a patch whose outcome is no object of its type: 422 that shows the patch. JSON and merge patches are decoded
// from JSON, so the findings are those of a body; a strategic merge patch is turned into the object value by value
// (apimachinery's FromUnstructured), which has sentences of its own and names no field.
import { goText } from "../../api/patch/typed-errors.ts";
import { hasReason, invalid, invalidObject, type StatusError } from "../../api/status-error.ts";
import type { DecodedBody } from "../body.ts";

/** How a patch shows itself, and the words for what JSON decoding found. */
export interface PatchWords {
  readonly shown: (patched: unknown) => string;
  readonly why: (found: string) => string;
}

export const jsonWords: PatchWords = { shown: (patched) => JSON.stringify(patched), why: (found) => found };

export const strategicWords = (patch: unknown): PatchWords => ({
  shown: () => goText(patch),
  why: conversionText,
});

/** Runs `decode`; of what it refuses Kubernetes says that the patch is invalid, not that the object is. */
export function decodePatched(patched: unknown, words: PatchWords, decode: () => DecodedBody): DecodedBody {
  try {
    return decode();
  } catch (error) {
    throw refusal(patched, words, error) ?? error;
  }
}

function refusal(patched: unknown, words: PatchWords, error: unknown): StatusError | undefined {
  if (!hasReason(error, "BadRequest")) return undefined;
  const found = / cannot be handled as a \S+: (.*)$/s.exec(error.message)?.[1];
  if (found === undefined) return undefined;
  const finding = invalid("patch", words.shown(patched), words.why(found));
  return invalidObject({ group: "", kind: "" }, "", [finding]);
}

const MISMATCH = /^json: cannot unmarshal (\w+)( \S+)? into Go .* of type (\S+)$/;
const KINDS: Readonly<Record<string, string>> = { object: "map", array: "slice", number: "int64" };
// These decode themselves, from JSON in either case.
const OWN_DECODING = /^(intstr|resource|runtime)\.|Time$|Duration$|JSON$/;

/** `cannot convert int64 to string`, for `json: cannot unmarshal number into Go struct field EnvVar.value of type string`. */
function conversionText(found: string): string {
  const [, given = "", literal = "", wanted = ""] = MISMATCH.exec(found) ?? [];
  if (!given || OWN_DECODING.test(wanted)) return found;
  const kind = literal.includes(".") ? "float64" : (KINDS[given] ?? given);
  if (wanted.startsWith("[]")) return `cannot restore slice from ${kind}`;
  if (wanted.startsWith("map[")) return `cannot restore map from ${kind}`;
  if (wanted.includes(".")) return `cannot restore struct from: ${kind}`;
  // What Go itself could convert is refused by one sentence, the rest by another.
  const isNumber = kind === "int64" || kind === "float64";
  const couldBe = isNumber && (wanted.startsWith("int") || (wanted === "string" && kind === "int64"));
  return couldBe ? `cannot convert ${kind} to ${wanted}` : `unrecognized type: ${wanted}`;
}
