// The options of a list or watch that must go together, checked as apimachinery's meta/internalversion/validation checks them.
import { type FieldError, forbiddenField, invalidObject, notSupported } from "../../api/status-error.ts";
import { booleanOf } from "./target.ts";

const MATCHES: readonly string[] = ["Exact", "NotOlderThan", ""];
const MATCH = "resourceVersionMatch";

/** Throws 422. */
export function checkListOptions(query: URLSearchParams): void {
  const errors = listErrors(query);
  if (query.has("sendInitialEvents"))
    errors.push(forbiddenField("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  refuse(errors);
}

function listErrors(query: URLSearchParams): FieldError[] {
  const match = query.get(MATCH) ?? "";
  if (match === "") return [];
  const version = query.get("resourceVersion") ?? "";
  const errors: FieldError[] = [];
  const forbid = (why: string) => errors.push(forbiddenField(MATCH, why));
  if (version === "") forbid("resourceVersionMatch is forbidden unless resourceVersion is provided");
  if (query.get("continue")) forbid("resourceVersionMatch is forbidden when continue is provided");
  if (!MATCHES.includes(match)) errors.push(notSupported(MATCH, match, MATCHES));
  if (match === "Exact" && version === "0")
    forbid('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  return errors;
}

/** Throws 422. */
export function checkWatchOptions(query: URLSearchParams): void {
  const match = query.get(MATCH) ?? "";
  if (booleanOf(query, "sendInitialEvents") === undefined) {
    if (match === "") return;
    refuse([
      forbiddenField(
        MATCH,
        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
      ),
    ]);
  }
  if (match !== "NotOlderThan")
    refuse([
      forbiddenField(MATCH, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
    ]);
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
}
