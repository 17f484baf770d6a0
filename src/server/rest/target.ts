// What a REST request is about, and the options of a write, read off its URL.
import type { AnyKind } from "../../api/kind.ts";
import { badRequest } from "../../api/status-error.ts";
import type { AdmissionRequest } from "../admission/chain.ts";
import type { ApiRequest } from "../request.ts";
import { checkWriteOptions, isDryRun, LONGEST_MANAGER } from "./options.ts";

/** A collection, or with `name` one object, or with `subresource` a part of it. */
export interface Target {
  /** As it is stored: what admission, validation and the store see. */
  readonly kind: AnyKind;
  /** As the request speaks of it: what bodies, answers and managedFields are in. The same but for kinds with several forms. */
  readonly served: AnyKind;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** "" for the object itself. */
  readonly subresource: string;
}

export interface WriteOptions {
  readonly dryRun: boolean;
  /** Who owns the fields that this write sets. */
  readonly manager: string;
}

export type Write = WriteOptions & Target & { readonly request: AdmissionRequest };

/** Throws 422 for options that Kubernetes refuses. */
export function writeOf(
  target: Target,
  request: ApiRequest,
  operation: AdmissionRequest["operation"],
): Write {
  checkWriteOptions(request);
  const dryRun = isDryRun(request.query.getAll("dryRun"));
  const { kind, namespace, subresource } = target;
  return {
    ...target,
    dryRun,
    manager: managerOf(request),
    request: { kind, namespace, subresource, operation, user: request.user, dryRun },
  };
}

function managerOf({ query, userAgent }: ApiRequest): string {
  const manager = query.get("fieldManager");
  if (manager) return manager;
  return (userAgent.split("/", 1)[0] || "unknown").replace(/[^\x20-\x7e]/g, "").slice(0, LONGEST_MANAGER);
}

/** The value of a query parameter that is a whole number, undefined when absent. Throws 400. */
export function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^-?\d{1,18}$/.test(text))
    throw badRequest(
      `unable to convert ${JSON.stringify(text)} of ${name}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
}

/** Go's ParseBool for query parameters: absent is false, present without a value true. */
export function booleanOf(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  return text === "" || !["false", "0", "f", "F", "FALSE", "False"].includes(text);
}
