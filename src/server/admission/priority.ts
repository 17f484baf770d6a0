// Priority: turns a pod's priorityClassName into its number, and keeps the default class unique.
import type { Pod, PriorityClass } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { priorityClasses } from "../../api/kinds/priority-class.ts";
import { forbidden } from "../../api/status-error.ts";
import type { ServerContext } from "../context.ts";
import { storeKey, storePrefix } from "../keys.ts";
import { type AdmissionStep, isPod } from "./chain.ts";

export const priority: AdmissionStep = {
  name: "Priority",
  mutateCreate(object, { kind }, context) {
    if (isPod(kind)) setPriority(object as Pod, context);
    else if (kind.resource.plural === priorityClasses.plural) checkDefault(object as PriorityClass, context);
  },
};

function setPriority({ metadata, spec }: Pod, context: ServerContext): void {
  const name = metadata.name || metadata.generateName || "";
  const given = spec.priority;
  const found = spec.priorityClassName
    ? (context.store.get(storeKey(priorityClasses, undefined, spec.priorityClassName))?.object as
        | PriorityClass
        | undefined)
    : defaultClass(context);
  if (spec.priorityClassName && !found)
    throw forbidden(pods, name, `no PriorityClass with name ${spec.priorityClassName} was found`);
  const value = found?.value ?? 0;
  if (given !== undefined && given !== value)
    throw forbidden(
      pods,
      name,
      `the integer value of priority (${given}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    );
  spec.priority = value;
  if (found) spec.priorityClassName = found.metadata.name;
  spec.preemptionPolicy ??= found?.preemptionPolicy ?? "PreemptLowerPriority";
}

function defaultClass({ store }: ServerContext): PriorityClass | undefined {
  return store
    .list(storePrefix(priorityClasses))
    .map(({ object }) => object as PriorityClass)
    .find(({ globalDefault }) => globalDefault);
}

function checkDefault({ metadata, globalDefault }: PriorityClass, context: ServerContext): void {
  const existing = globalDefault ? defaultClass(context) : undefined;
  if (existing && existing.metadata.name !== metadata.name)
    throw forbidden(
      priorityClasses,
      metadata.name,
      `PriorityClass ${existing.metadata.name} is already marked as default. Only one default can exist`,
    );
}
