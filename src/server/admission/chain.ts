// Admission: the steps between a decoded request and its validation. Mutating steps may change the object and may wait;
// checks run last, against the object as it will be stored, inside the write, and may not.
import type { AnyKind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import type { ServerContext } from "../context.ts";
import type { User } from "../request.ts";

export interface AdmissionRequest {
  readonly kind: AnyKind;
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly user: User;
  readonly dryRun: boolean;
}

/** A create (`old` undefined) or update that is about to be stored. */
export interface CheckedWrite {
  readonly key: string;
  readonly object: KubeObject;
  readonly old: KubeObject | undefined;
  readonly request: AdmissionRequest;
}

/** The newest state, writes of the same commit included. */
export type ReadObject = (key: string) => KubeObject | undefined;

/** One built-in plugin. A StatusError thrown in it refuses the request. */
export interface AdmissionStep {
  readonly name: string;
  /** Before defaults and validation of a create. May wait. */
  mutateCreate?(object: KubeObject, request: AdmissionRequest, context: ServerContext): void | Promise<void>;
  /** Within the write of an update; `old` is what is stored. */
  mutateUpdate?(object: KubeObject, old: KubeObject, request: AdmissionRequest, context: ServerContext): void;
  /**
   * Within the write of a create (`old` undefined) or update, before validation: takes what must be unique (addresses, ports).
   * What is taken for `key` counts as taken until `settle(key)`.
   */
  allocate?(key: string, object: KubeObject, old: KubeObject | undefined, request: AdmissionRequest): void;
  /** A write to `key` was refused, failed or was a dry run: only what is stored counts. */
  settle?(key: string): void;
  /** Within the write: the object as it will be stored, with the newest state readable. */
  check?(write: CheckedWrite, read: ReadObject): void;
  /** A DELETE of `object` is about to happen. */
  checkDelete?(object: KubeObject, request: AdmissionRequest): void;
}

export async function mutateCreate(
  object: KubeObject,
  request: AdmissionRequest,
  context: ServerContext,
): Promise<void> {
  for (const step of context.admission) {
    const pending = step.mutateCreate?.(object, request, context);
    if (pending) await pending;
  }
}

export const isPod = ({ resource }: AnyKind): boolean => resource.group === "" && resource.plural === "pods";
