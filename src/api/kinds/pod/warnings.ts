// Warnings about a pod spec, in a Pod or in a workload's template: Kubernetes' own, and kubemu's for what it does not act on.
import { isQuantity, milliValue } from "../../../base/quantity.ts";
import type { Container, EphemeralContainer, ObjectMeta, PodSpec } from "../../generated/types.ts";
import { notActedOnText } from "../../kind.ts";
import {
  containerFieldsNotActedOn,
  type NotActedOn,
  podFieldsNotActedOn,
  volumeFieldsNotActedOn,
} from "./not-acted-on.ts";

interface Field extends NotActedOn {
  readonly steps: readonly string[];
}

// Split once: they are asked of every container.
const withSteps = (fields: readonly NotActedOn[]): readonly Field[] =>
  fields.map((one) => ({ ...one, steps: one.field.split(".") }));
const podFields = withSteps(podFieldsNotActedOn);
const containerFields = withSteps(containerFieldsNotActedOn);
const volumeFields = withSteps(volumeFieldsNotActedOn);

interface Template {
  readonly metadata?: Pick<ObjectMeta, "annotations">;
  readonly spec?: PodSpec;
}

/** `path` is where the spec stands: `spec`, `spec.template.spec`. */
export function podWarnings(template: Template | undefined, path: string): string[] {
  const spec = template?.spec;
  if (!spec) return [];
  return [
    ...notActedOn(spec, podFields, path),
    ...(spec.volumes ?? []).flatMap((volume, index) =>
      notActedOn(volume, volumeFields, `${path}.volumes[${index}]`),
    ),
    ...topologyWarnings(spec, path),
    ...pullSecretWarnings(spec, path),
    ...readOnlyWarnings(spec, path),
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

function notActedOn(object: object, fields: readonly Field[], path: string): string[] {
  return fields
    .filter(({ steps, unless }) => {
      const value = valueAt(object, steps);
      return value !== undefined && value !== unless && !(Array.isArray(value) && value.length === 0);
    })
    .map(({ field }) => notActedOnText(`${path}.${field}`));
}

function valueAt(object: object, steps: readonly string[]): unknown {
  let value: unknown = object;
  for (const step of steps) {
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

// Kubernetes mounts these read-only whatever a mount says, so that of `readOnly: true` nothing is to be told.
const NEVER_WRITTEN = ["configMap", "downwardAPI", "projected", "secret"] as const;

/** One for each volume that some container means to be kept from writing: templates repeat the mount in every container. */
function readOnlyWarnings(spec: PodSpec, path: string): string[] {
  const written = new Set(
    (spec.volumes ?? [])
      .filter((volume) => !NEVER_WRITTEN.some((source) => volume[source]))
      .map(({ name }) => name),
  );
  return containersOf(spec, path).flatMap(([{ volumeMounts = [] }, at]) =>
    volumeMounts.flatMap(({ name, readOnly }, index) =>
      readOnly && written.delete(name) ? [notActedOnText(`${at}.volumeMounts[${index}].readOnly`)] : [],
    ),
  );
}

function containerWarnings(container: AnyContainer, path: string): string[] {
  return [
    ...notActedOn(container, containerFields, path),
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

// More than an answer's headers have room for. Of n equal ports each clashes with each: the warnings of one pod would fill any memory.
const MOST_PORT_WARNINGS = 100;

interface Port {
  readonly at: string;
  readonly order: number;
  /** On the host. */
  readonly address: string;
}

/** Ports of one number clash unless both have a port of the host and these differ. Each port comes after those that it clashes with. */
function portWarnings(spec: PodSpec, path: string): string[] {
  const seen = new Map<string, Port[]>();
  const found = (key: string) => seen.get(key) ?? [];
  const warnings: string[] = [];
  let order = 0;
  for (const [container, containerAt] of containersOf(spec, path)) {
    for (const [index, { containerPort, protocol, hostIP = "", hostPort = 0 }] of (
      container.ports ?? []
    ).entries()) {
      const port = `${containerPort}/${protocol}`;
      const mine = { at: `${containerAt}.ports[${index}]`, order: order++, address: `${hostPort} ${hostIP}` };
      const [same, unbound] = [`${port} ${mine.address}`, `${port} unbound`];
      const clashes =
        hostPort === 0 ? found(port) : [...found(unbound), ...found(same)].sort((a, b) => a.order - b.order);
      for (const { at, address } of clashes) {
        const what = address === mine.address ? "duplicate" : "overlapping";
        warnings.push(`${mine.at}: ${what} port definition with ${at}`);
        if (warnings.length === MOST_PORT_WARNINGS) return warnings;
      }
      for (const key of hostPort === 0 ? [port, unbound, same] : [port, same])
        seen.set(key, found(key)).get(key)?.push(mine);
    }
  }
  return warnings;
}
