// What a kind declares. The server, OpenAPI, the CLI and the tests know kinds only through these records;
// adding a kind is one file in kinds/ that exports a Resource and a KindDefinition, and a line in registry.ts.
import type { Draft, KubeObject } from "./object.ts";
import type { Resource } from "./resource.ts";
import type { TypeSchema } from "./schema.ts";
import type { FieldError } from "./status-error.ts";

/** A column of `kubectl get`. `priority` 0 is always shown, 1 only with `-o wide`. */
export interface Column<T> {
  readonly name: string;
  readonly type: "string" | "integer" | "date" | "boolean" | "number";
  /** "name" marks the column that holds the object's name. */
  readonly format?: string;
  readonly priority: 0 | 1;
  readonly description: string;
  /** The cell. `nowMs` is for ages, which the server renders ("5m2s"). */
  value(object: T, nowMs: number): string | number | boolean | null;
}

/** Where the scale subresource reads and writes. Paths are those of the object (`spec.replicas`). */
export interface ScalePaths<T> {
  replicas(object: T): number;
  setReplicas(object: T, replicas: number): void;
  statusReplicas(object: T): number;
  /** The selector in its string form: `app=web,tier in (a,b)`. */
  selector(object: T): string;
  /** What is told to be missing where the scale of none is read. Default: the resource itself. */
  readonly missing?: Pick<Resource, "group" | "plural">;
}

/** The Warning for a field, by its path, that Kubernetes acts on. */
export const notActedOnText = (field: string): string =>
  `${field}: kubemu accepts this field and does not act on it`;

export type NameRule = "dns-subdomain" | "dns-label" | "dns-1035-label" | "path-segment";

/** What validation may look at beside the object itself. */
export interface ValidationContext {
  /** "" for a write to the object itself, else `status`, `scale` … */
  readonly subresource: string;
  readonly isCreate?: boolean;
}

/**
 * The same objects as another group or version serves them (`events.k8s.io/v1` beside core Events). They lie in the store
 * once, in the form of the kind that declares this; everything but structure, defaults and field selectors is that kind's.
 */
export interface ServedForm<Form extends KubeObject, Stored extends KubeObject> {
  readonly resource: Resource<Form>;
  readonly schema: string;
  /** Run on what a client sends in this form, before it is converted; idempotent. */
  defaults?(object: Draft<Form>): void;
  /** What must hold of a write in this form, beside the stored kind's own validation. */
  validate?(object: Form, old: Form | undefined): FieldError[];
  /** Field selectors of this form; the stored kind's where it has none of its own. */
  fields?(object: Form): Readonly<Record<string, string>>;
  /** Both make a new object and change nothing; apiVersion and kind are filled in by the caller. `spec` may be missing. */
  toStored(object: Form): Stored;
  fromStored(object: Stored): Form;
}

export interface KindDefinition<T extends KubeObject = KubeObject> {
  readonly resource: Resource<T>;
  /** The schema's name: `io.k8s.api.core.v1.Pod`. */
  readonly schema: string;
  /** Other groups and versions that serve the same objects. */
  readonly servedAs?: readonly ServedForm<KubeObject, T>[];
  /** Set by the registry on the kind that it makes of a ServedForm; `stored` is the kind that declares it. */
  readonly form?: ServedForm<KubeObject, KubeObject> & { readonly stored: KindDefinition<KubeObject> };
  /** Types that Kubernetes' table does not have (kubemu's own kinds). */
  readonly types?: Readonly<Record<string, TypeSchema>>;
  readonly singular: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly nameRule: NameRule;
  /** Default: what the facts table lists for the resource, or all. */
  readonly verbs?: readonly string[];
  readonly hasStatus?: boolean;
  /** A create keeps the status that the client sends (Node: its agent registers with it). */
  readonly keepsStatusOnCreate?: boolean;
  /** A PUT of what is not there creates it. */
  readonly createsOnUpdate?: boolean;
  readonly scale?: ScalePaths<T>;
  /**
   * metadata.generation starts at 1 and grows with each change of spec. Default: true when the type has both spec and status.
   */
  readonly hasGeneration?: boolean;
  /** Annotations count as well: they are copied to what the object makes. */
  readonly generationCountsAnnotations?: boolean;
  /** Mutates a decoded object: Kubernetes' defaulting, run on create, update and after every patch. Must be idempotent. */
  defaults?(object: Draft<T>): void;
  /** Mutates before a create: what the registry's strategy does (drop status is done by the server when hasStatus). */
  prepareCreate?(object: T): void;
  /** Mutates before an update. Status (or, for /status, spec) has already been carried over from `old` by the server. */
  prepareUpdate?(object: T, old: T, context: ValidationContext): void;
  validate?(object: T, context: ValidationContext): FieldError[];
  validateUpdate?(object: T, old: T, context: ValidationContext): FieldError[];
  /** Warnings for fields that are accepted but not acted on, deprecated or duplicate: the text of each `Warning` header. */
  warnings?(object: T, old: T | undefined): string[];
  /** Told with every answer about the kind, reads included: the text of a `Warning` header. */
  readonly deprecation?: string;
  /** Columns after NAME and before AGE come in order; list all of them, NAME and AGE included. */
  readonly columns: readonly Column<T>[];
  /** What field selectors may name besides metadata.name and metadata.namespace: `status.phase` → value. */
  fields?(object: T): Readonly<Record<string, string>>;
  /**
   * Seconds of grace with which a delete leaves the object in place (deletionTimestamp set) for its owner to finish,
   * or 0 for removal at once. `requested` is the client's gracePeriodSeconds. Default: removal at once.
   */
  gracePeriod?(object: T, requested: number | undefined): number;
  /** The propagation policy where a delete names none. Default: background. */
  readonly defaultPropagation?: "Background" | "Orphan";
  /** Objects are gone this long after their last write (Events). */
  readonly timeToLive?: "event";
}

/** A kind of any type, as the registry keeps it. Method bivariance makes each KindDefinition<T> assignable. */
export type AnyKind = KindDefinition<KubeObject>;

/** Age as kubectl prints it; the columns of most kinds end in this. */
export function ageColumn<T extends KubeObject>(): Column<T> {
  return {
    name: "Age",
    type: "string",
    priority: 0,
    description: "Time since the object was created.",
    value: (object, nowMs) => humanDuration(nowMs - Date.parse(object.metadata.creationTimestamp)),
  };
}

/** A column of text; `priority` 1 shows it with `-o wide` only. */
export function textColumn<T>(
  name: string,
  description: string,
  value: (object: T) => string,
  priority: 0 | 1 = 0,
): Column<T> {
  return { name, type: "string", priority, description, value };
}

export function nameColumn<T extends KubeObject>(): Column<T> {
  return {
    name: "Name",
    type: "string",
    format: "name",
    priority: 0,
    description: "Name of the object, unique within its namespace.",
    value: (object) => object.metadata.name,
  };
}

/**
 * A span of time as apimachinery's HumanDuration prints it: `45s`, `2m5s`, `15m`, `3h10m`, `12h`, `2d3h`, `30d`, `2y10d`, `9y`.
 */
export function humanDuration(spanMs: number): string {
  const seconds = Math.floor(spanMs / 1000);
  if (Number.isNaN(seconds)) return "<unknown>";
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  const two = (large: number, largeUnit: string, small: number, smallUnit: string) =>
    small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
  if (minutes < 10) return two(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return two(days, "d", hours % 24, "h");
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.floor(days / 365);
  if (hours < 24 * 365 * 8) return two(years, "y", days % 365, "d");
  return `${years}y`;
}
