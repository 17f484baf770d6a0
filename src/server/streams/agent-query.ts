// Pure: turns the query of pods/{log,exec,attach,portforward} into the node agent's, and refuses what Kubernetes refuses.
import { checkTime } from "../../api/decode.ts";
import { badRequest, type FieldError, invalid, invalidObject, notSupported } from "../../api/status-error.ts";
import type { StreamTarget } from "./relay.ts";

/** `container` is "" where none was named. */
export function agentQuery({ query, subresource, name }: StreamTarget): { query: string; container: string } {
  const given = new URLSearchParams(query);
  const container = given.get("container") ?? "";
  if (subresource === "log") return { query: logQuery(given, name), container };
  if (subresource === "portforward") return { query: kept(given, ["ports"]).toString(), container };
  const sent = kept(given, ["command"]);
  for (const [from, to] of STREAMS) if (isTrue(given.get(from))) sent.set(to, "1");
  return { query: sent.toString(), container };
}

const STREAMS = [
  ["stdin", "input"],
  ["stdout", "output"],
  ["stderr", "error"],
  ["tty", "tty"],
] as const;

// apimachinery's conversion of query values: anything that does not say no says yes.
const isTrue = (value: string | null) => value !== null && value !== "0" && value.toLowerCase() !== "false";

function kept(given: URLSearchParams, names: readonly string[]): URLSearchParams {
  return new URLSearchParams([...given].filter(([name]) => names.includes(name)));
}

const POD_LOG_OPTIONS = { group: "", kind: "PodLogOptions" };
const LOG_STREAMS = ["All", "Stdout", "Stderr"];

// The rules and words of core validation's ValidatePodLogOptions.
function logQuery(given: URLSearchParams, pod: string): string {
  checkTypes(given);
  const errors: FieldError[] = [
    ...numberErrors(given, { name: "tailLines", lowest: 0 }),
    ...numberErrors(given, { name: "limitBytes", lowest: 1 }),
    ...numberErrors(given, { name: "sinceSeconds", lowest: 1 }),
  ];
  if (given.has("sinceSeconds") && given.has("sinceTime"))
    errors.push({
      reason: "FieldValueForbidden",
      field: "",
      message: "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
    });
  const stream = given.get("stream");
  if (stream !== null && !LOG_STREAMS.includes(stream))
    errors.push(notSupported("stream", stream, LOG_STREAMS));
  if (errors.length > 0) throw invalidObject(POD_LOG_OPTIONS, pod, errors);
  const sent = kept(given, ["tailLines", "limitBytes", "sinceSeconds", "sinceTime", "stream"]);
  for (const name of ["follow", "previous", "timestamps"])
    if (isTrue(given.get(name))) sent.set(name, "true");
  return sent.toString();
}

/** What cannot be decoded is refused before any rule is looked at. */
function checkTypes(given: URLSearchParams): void {
  for (const name of ["tailLines", "limitBytes", "sinceSeconds"]) {
    const text = given.get(name);
    if (text !== null && !/^[+-]?\d+$/.test(text))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const time = given.get("sinceTime");
  try {
    if (time) checkTime(time);
  } catch (error) {
    throw badRequest((error as Error).message);
  }
}

function numberErrors(
  given: URLSearchParams,
  { name, lowest }: { name: string; lowest: number },
): FieldError[] {
  const text = given.get(name);
  if (text === null) return [];
  const value = Number(text);
  if (value >= lowest) return [];
  return [
    invalid(name, value, lowest === 0 ? "must be greater than or equal to 0" : "must be greater than 0"),
  ];
}
