// Warnings about a pod spec, in a Pod or in a workload's template: Kubernetes' own, and kubemu's for what it does not act on.
import { isQuantity, milliValue } from "../../../base/quantity.ts";
import type { Container, EphemeralContainer, ObjectMeta, PodSpec } from "../../generated/types.ts";
import {
  containerFieldsNotActedOn,
  type NotActedOn,
  podFieldsNotActedOn,
  volumeFieldsNotActedOn,
} from "./not-acted-on.ts";

interface Template {
  readonly metadata?: Pick<ObjectMeta, "annotations">;
  readonly spec?: PodSpec;
}

/** `path` is where the spec stands: `spec`, `spec.template.spec`. */
export function podWarnings(template: Template | undefined, path: string): string[] {
  const spec = template?.spec;
  if (!spec) return [];
  return [
    ...notActedOn(spec, podFieldsNotActedOn, path),
    ...(spec.volumes ?? []).flatMap((volume, index) =>
      notActedOn(volume, volumeFieldsNotActedOn, `${path}.volumes[${index}]`),
    ),
    ...topologyWarnings(spec, path),
    ...pullSecretWarnings(spec, path),
    ...containersOf(spec, path).flatMap(([container, at]) => containerWarnings(container, at)),
    ...portWarnings(spec, path),
  ];
}

interface Workload {
  readonly metadata: Pick<ObjectMeta, "generation">;
  readonly spec: { readonly template?: Template };
}

/** About a workload's template, when the workload is new or its spec changed. */
export function templateWarnings({ metadata, spec }: Workload, old: Workload | undefined): string[] {
  if (old && old.metadata.generation === metadata.generation) return [];
  return podWarnings(spec.template, "spec.template.spec");
}

type AnyContainer = Container | EphemeralContainer;

function containersOf(spec: PodSpec, path: string): (readonly [AnyContainer, string])[] {
  const lists = ["initContainers", "containers", "ephemeralContainers"] as const;
  return lists.flatMap((list) =>
    (spec[list] ?? []).map((container, index) => [container, `${path}.${list}[${index}]`] as const),
  );
}

function notActedOn(object: object, fields: readonly NotActedOn[], path: string): string[] {
  return fields
    .filter(({ field, unless }) => {
      const value = valueAt(object, field);
      return value !== undefined && value !== unless && !(Array.isArray(value) && value.length === 0);
    })
    .map(({ field }) => `${path}.${field}: kubemu accepts this field and does not act on it`);
}

function valueAt(object: object, path: string): unknown {
  let value: unknown = object;
  for (const step of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

function topologyWarnings(spec: PodSpec, path: string): string[] {
  return (spec.topologySpreadConstraints ?? []).flatMap((constraint, index) =>
    constraint.labelSelector
      ? []
      : [
          `${path}.topologySpreadConstraints[${index}].labelSelector: a null labelSelector results in matching no pod`,
        ],
  );
}

function pullSecretWarnings(spec: PodSpec, path: string): string[] {
  const seen = new Set<string>();
  return (spec.imagePullSecrets ?? []).flatMap(({ name }, index) => {
    const at = `${path}.imagePullSecrets[${index}].name`;
    if (!name) return [`${at}: invalid empty name ""`];
    if (seen.has(name)) return [`${at}: duplicate name ${JSON.stringify(name)}`];
    seen.add(name);
    return [];
  });
}

function containerWarnings(container: AnyContainer, path: string): string[] {
  return [
    ...notActedOn(container, containerFieldsNotActedOn, path),
    ...fractionWarnings(container, path),
    ...environmentWarnings(container, path),
  ];
}

function fractionWarnings({ resources }: AnyContainer, path: string): string[] {
  const warnings: string[] = [];
  for (const list of ["limits", "requests"] as const) {
    for (const name of ["memory", "ephemeral-storage"]) {
      const amount = resources?.[list]?.[name];
      if (amount === undefined || !isQuantity(amount) || milliValue(amount) % 1000 === 0) continue;
      warnings.push(
        `${path}.resources.${list}[${name}]: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`,
      );
    }
  }
  return warnings;
}

// X="abc" and then X="$(X)123" is meant; any other second definition hides the first.
function environmentWarnings({ env = [] }: AnyContainer, path: string): string[] {
  const seen = new Set<string>();
  return env.flatMap(({ name, value = "", valueFrom }, index) => {
    const reference = `$(${name})`;
    const hides = seen.has(name) && (valueFrom || value === reference || !value.includes(reference));
    seen.add(name);
    if (!hides) return [];
    return [
      `${path}.env[${index}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
    ];
  });
}

function portWarnings(spec: PodSpec, path: string): string[] {
  const seen = new Map<string, { at: string; hostIP: string; hostPort: number }[]>();
  const warnings: string[] = [];
  for (const [container, at] of containersOf(spec, path)) {
    for (const [index, port] of (container.ports ?? []).entries()) {
      const key = `${port.containerPort}/${port.protocol}`;
      const mine = {
        at: `${at}.ports[${index}]`,
        hostIP: port.hostIP ?? "",
        hostPort: port.hostPort ?? 0,
      };
      const others = seen.get(key) ?? [];
      for (const other of others) {
        if (other.hostIP === mine.hostIP && other.hostPort === mine.hostPort) {
          warnings.push(`${mine.at}: duplicate port definition with ${other.at}`);
        } else if (mine.hostPort === 0 || other.hostPort === 0) {
          warnings.push(`${mine.at}: overlapping port definition with ${other.at}`);
        }
      }
      seen.set(key, [...others, mine]);
    }
  }
  return warnings;
}
