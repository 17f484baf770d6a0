// The closed catalogue of API errors: reason and HTTP code are Kubernetes' own (apimachinery's StatusReason),
// the message is worded as Kubernetes words it. Anything that a client may see is thrown as a StatusError.
import type { Status, StatusCause } from "./generated/types.ts";
import { groupResourceOf, type Resource } from "./resource.ts";

export const REASON_CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  Gone: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const;

export type StatusReason = keyof typeof REASON_CODES;

/** What a client is told. `status` is the meta/v1 Status that goes over the wire. */
export class StatusError extends Error {
  readonly status: Status & { code: number };

  constructor(status: Status & { code: number }, options?: ErrorOptions) {
    super(status.message ?? status.reason ?? "unknown error", options);
    this.name = "StatusError";
    this.status = status;
  }

  get code(): number {
    return this.status.code;
  }

  get reason(): string {
    return this.status.reason ?? "";
  }
}

/** True when `error` is a StatusError with that reason. */
export function hasReason(error: unknown, reason: StatusReason): error is StatusError {
  return error instanceof StatusError && error.reason === reason;
}

/** A failure Status of `reason` with that message. */
export function statusError(reason: StatusReason, message: string, details?: Status["details"]): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {} as Status["metadata"],
    status: "Failure",
    message,
    reason,
    ...(details ? { details } : {}),
    code: REASON_CODES[reason],
  });
}

/** 500 without a reason: what Kubernetes answers where an error of its own libraries reaches the client as it is. */
export function plainError(message: string): StatusError {
  const metadata = {} as Status["metadata"];
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata,
    status: "Failure",
    message,
    code: 500,
  });
}

type Named = Pick<Resource, "group" | "plural">;
const detailsOf = (resource: Named, name: string) => ({
  name,
  ...(resource.group ? { group: resource.group } : {}),
  kind: resource.plural,
});

export function notFound(resource: Named, name: string): StatusError {
  return statusError(
    "NotFound",
    `${groupResourceOf(resource)} "${name}" not found`,
    detailsOf(resource, name),
  );
}

export function alreadyExists(resource: Named, name: string): StatusError {
  return statusError(
    "AlreadyExists",
    `${groupResourceOf(resource)} "${name}" already exists`,
    detailsOf(resource, name),
  );
}

export function conflict(
  resource: Named,
  name: string,
  why = "the object has been modified; please apply your changes to the latest version and try again",
): StatusError {
  return statusError(
    "Conflict",
    `Operation cannot be fulfilled on ${groupResourceOf(resource)} "${name}": ${why}`,
    detailsOf(resource, name),
  );
}

export function forbidden(resource: Named, name: string, why: string): StatusError {
  return statusError(
    "Forbidden",
    `${groupResourceOf(resource)} "${name}" is forbidden: ${why}`,
    detailsOf(resource, name),
  );
}

export function badRequest(message: string): StatusError {
  return statusError("BadRequest", message);
}

/** One finding about one field, in the words of apimachinery's field.Error. Build them with the functions below. */
export interface FieldError {
  readonly reason:
    | "FieldValueRequired"
    | "FieldValueInvalid"
    | "FieldValueNotSupported"
    | "FieldValueDuplicate"
    | "FieldValueForbidden"
    | "FieldValueNotFound"
    | "FieldValueTooLong"
    | "FieldValueTooMany"
    | "FieldValueTypeInvalid"
    | "InternalError";
  /** `spec.template.spec.containers[0].image` */
  readonly field: string;
  /** Without the field: `Required value: must specify an image`. */
  readonly message: string;
}

const shown = (value: unknown): string =>
  typeof value === "string" ? JSON.stringify(value) : value === undefined ? "null" : JSON.stringify(value);

export const required = (field: string, detail = ""): FieldError => ({
  reason: "FieldValueRequired",
  field,
  message: detail ? `Required value: ${detail}` : "Required value",
});
/** `detail` may be empty: nothing is said of why. */
export const invalid = (field: string, value: unknown, detail: string): FieldError => ({
  reason: "FieldValueInvalid",
  field,
  message: `Invalid value: ${shown(value)}${detail ? `: ${detail}` : ""}`,
});
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  reason: "FieldValueNotSupported",
  field,
  message: `Unsupported value: ${shown(value)}: supported values: ${supported.map((v) => JSON.stringify(v)).join(", ")}`,
});
export const duplicate = (field: string, value: unknown): FieldError => ({
  reason: "FieldValueDuplicate",
  field,
  message: `Duplicate value: ${shown(value)}`,
});
export const forbiddenField = (field: string, detail: string): FieldError => ({
  reason: "FieldValueForbidden",
  field,
  message: `Forbidden: ${detail}`,
});
/** About an object whose value is too large to be shown. */
export const invalidAsWhole = (field: string, detail: string): FieldError => ({
  reason: "FieldValueInvalid",
  field,
  message: `Invalid value: ${detail}`,
});
export const notFoundField = (field: string, value: unknown): FieldError => ({
  reason: "FieldValueNotFound",
  field,
  message: `Not found: ${shown(value)}`,
});
export const tooLong = (field: string, maxBytes: number): FieldError => ({
  reason: "FieldValueTooLong",
  field,
  message: `Too long: may not be more than ${maxBytes} bytes`,
});

export const tooMany = (field: string, count: number, most: number): FieldError => ({
  reason: "FieldValueTooMany",
  field,
  message: `Too many: ${count}: must have at most ${most} items`,
});

/** 422 with every finding in `details.causes`, as apimachinery's NewInvalid words it. */
export function invalidObject(
  resource: Pick<Resource, "group" | "kind">,
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const causes: StatusCause[] = errors.map(({ reason, field, message }) => ({ reason, message, field }));
  const lines = errors.map(({ field, message }) => `${field}: ${message}`);
  const list = lines.length === 1 ? lines[0] : `[${lines.join(", ")}]`;
  const kind = resource.group ? `${resource.kind}.${resource.group}` : resource.kind;
  return statusError("Invalid", `${kind} "${name}" is invalid: ${list}`, {
    ...(name ? { name } : {}),
    ...(resource.group ? { group: resource.group } : {}),
    kind: resource.kind,
    causes,
  });
}
