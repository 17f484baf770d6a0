// What an update may change in a pod: nearly nothing, because its processes were started from the spec.
import { isDeepStrictEqual } from "node:util";
import type { Pod, PodSpec, Toleration } from "../../generated/types.ts";
import { type FieldError, forbiddenField, invalid, required } from "../../status-error.ts";
import { changedPaths } from "../../validation/changed-paths.ts";
import { rangeText } from "../../validation/names.ts";
import { qualityOf } from "./quality.ts";

const MOST_SECONDS = 2 ** 31 - 1;
const ALLOWED =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

export function validatePodUpdate({ spec }: Pod, { spec: old }: Pod, subresource: string): FieldError[] {
  // The server itself writes it, and looks at what it writes.
  if (subresource === "binding") return [];
  if (subresource === "resize") return validateResize(spec, old);
  if (subresource === "ephemeralcontainers") return validateEphemeralUpdate(spec, old);
  for (const list of ["containers", "initContainers"] as const) {
    if ((spec[list] ?? []).length !== (old[list] ?? []).length) {
      return [forbiddenField(`spec.${list}`, "pod updates may not add or remove containers")];
    }
  }
  const errors = [
    ...validateImages(spec),
    ...validateDeadlineUpdate(spec, old),
    ...validateTolerationUpdate(spec.tolerations ?? [], old.tolerations ?? []),
    ...validateGateUpdate(spec, old),
  ];
  const changed = changedPaths(withoutMutable(spec, old), old, "spec");
  if (changed.length > 0) errors.push(forbiddenField("spec", `${ALLOWED}\n${changed.join("\n")}`));
  return errors;
}

function validateImages(spec: PodSpec): FieldError[] {
  return (["containers", "initContainers"] as const).flatMap((list) =>
    (spec[list] ?? []).flatMap(({ image = "" }, index) => {
      const field = `spec.${list}[${index}].image`;
      if (!image) return [required(field)];
      if (image === image.trim()) return [];
      return [invalid(field, image, "must not have leading or trailing whitespace")];
    }),
  );
}

function validateDeadlineUpdate(spec: PodSpec, old: PodSpec): FieldError[] {
  const field = "spec.activeDeadlineSeconds";
  const now = spec.activeDeadlineSeconds;
  const before = old.activeDeadlineSeconds;
  if (now === undefined) {
    if (before === undefined) return [];
    return [invalid(field, now, "must not update from a positive integer to nil value")];
  }
  if (now < 0 || now > MOST_SECONDS) return [invalid(field, now, rangeText(0, MOST_SECONDS))];
  if (before === undefined || now <= before) return [];
  return [invalid(field, now, "must be less than or equal to previous value")];
}

// A toleration without its seconds.
const identityOf = ({ key, operator, value, effect }: Toleration) =>
  JSON.stringify([key, operator, value, effect]);

function validateTolerationUpdate(now: readonly Toleration[], before: readonly Toleration[]): FieldError[] {
  const all = new Set(now.map(identityOf));
  if (before.every((one) => all.has(identityOf(one)))) return [];
  return [
    forbiddenField(
      "spec.tolerations",
      "existing toleration can not be modified except its tolerationSeconds",
    ),
  ];
}

function validateGateUpdate(spec: PodSpec, old: PodSpec): FieldError[] {
  const before = new Set(old.schedulingGates?.map(({ name }) => name));
  const added = (spec.schedulingGates ?? []).filter(({ name }) => !before.has(name));
  return added.map(({ name }) =>
    forbiddenField(
      "spec.schedulingGates",
      `only deletion is allowed, but found new scheduling gate '${name}'`,
    ),
  );
}

/** `spec` with everything that may change set back to what it was. */
function withoutMutable(spec: PodSpec, old: PodSpec): PodSpec {
  const kept: PodSpec = { ...spec };
  for (const list of ["containers", "initContainers"] as const) {
    if (!spec[list]) continue;
    kept[list] = spec[list].map((container, index) => {
      const { image: _, ...rest } = container;
      const image = old[list]?.[index]?.image;
      return image === undefined ? rest : { ...rest, image };
    });
  }
  setBack(kept, old, "activeDeadlineSeconds");
  setBack(kept, old, "tolerations");
  setBack(kept, old, "schedulingGates");
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1) {
    setBack(kept, old, "terminationGracePeriodSeconds");
  }
  return kept;
}

function setBack<Field extends keyof PodSpec>(spec: PodSpec, old: PodSpec, field: Field): void {
  if (old[field] === undefined) delete spec[field];
  else spec[field] = old[field];
}

function validateEphemeralUpdate(spec: PodSpec, old: PodSpec): FieldError[] {
  const now = new Map(spec.ephemeralContainers?.map((container) => [container.name, container]));
  const path = "spec.ephemeralContainers";
  const errors: FieldError[] = [];
  for (const [index, before] of (old.ephemeralContainers ?? []).entries()) {
    const same = now.get(before.name);
    if (!same) {
      errors.push(
        forbiddenField(
          path,
          `existing ephemeral containers ${JSON.stringify(before.name)} may not be removed\n`,
        ),
      );
    } else if (!isDeepStrictEqual(same, before)) {
      errors.push(
        forbiddenField(
          `${path}[${index}]`,
          `existing ephemeral containers ${JSON.stringify(before.name)} may not be changed\n`,
        ),
      );
    }
  }
  return errors;
}

/** What pods/resize may change: requests and limits of cpu and memory, without changing the pod's class. */
function validateResize(spec: PodSpec, old: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (qualityOf(spec) !== qualityOf(old))
    errors.push(invalid("spec", qualityOf(old), "Pod QOS Class may not change as a result of resizing"));
  const changed = changedPaths(withoutSizes(spec), withoutSizes(old), "spec");
  if (changed.length > 0)
    errors.push(forbiddenField("spec", `only cpu and memory resources are mutable\n${changed.join("\n")}`));
  for (const list of ["containers", "initContainers"] as const)
    for (const [index, { resources }] of (old[list] ?? []).entries()) {
      const now = spec[list]?.[index]?.resources;
      const path = `spec.${list}[${index}].resources`;
      for (const field of ["requests", "limits"] as const)
        for (const name of RESIZED)
          if (resources?.[field]?.[name] !== undefined && now?.[field]?.[name] === undefined)
            errors.push(forbiddenField(`${path}.${field}`, `resource ${field} cannot be removed`));
    }
  return errors;
}

const RESIZED = ["cpu", "memory"];

function withoutSizes(spec: PodSpec): PodSpec {
  const rest: PodSpec = structuredClone(spec);
  for (const { resources } of [...rest.containers, ...(rest.initContainers ?? [])])
    for (const field of ["requests", "limits"] as const) {
      const amounts = resources?.[field];
      if (!amounts) continue;
      for (const name of RESIZED) delete amounts[name];
      if (Object.keys(amounts).length === 0) delete resources?.[field];
    }
  return rest;
}
