// LimitRanger: gives containers that say nothing the defaults of their namespace's LimitRanges, then refuses what is out of bounds.
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
} from "../../api/generated/types.ts";
import { limitRanges } from "../../api/kinds/limit-range.ts";
import { persistentVolumeClaims } from "../../api/kinds/persistent-volume-claim.ts";
import type { KubeObject } from "../../api/object.ts";
import { amountsField } from "../../api/quota/amounts.ts";
import { podAmounts } from "../../api/quota/pod-amounts.ts";
import { groupResourceOf, type Resource } from "../../api/resource.ts";
import { forbidden } from "../../api/status-error.ts";
import { compareQuantities, isQuantity, quantityToNumber } from "../../base/quantity.ts";
import type { ServerContext } from "../context.ts";
import { storePrefix } from "../keys.ts";
import { type AdmissionStep, isPod } from "./chain.ts";

const ANNOTATION = "kubernetes.io/limit-ranger";

type Quantities = Readonly<Record<string, string>>;
interface Asked {
  readonly requests?: Quantities | undefined;
  readonly limits?: Quantities | undefined;
}

export const limitRanger: AdmissionStep = {
  name: "LimitRanger",
  mutateCreate(object, { kind, namespace }, context) {
    if (isPod(kind)) {
      const ranges = rangesIn(context, namespace);
      for (const range of ranges) setDefaults(object as Pod, range);
      for (const range of ranges) refuse(kind.resource, object, podErrors(object as Pod, range));
    } else if (isClaim(kind.resource)) checkClaim(object, kind.resource, rangesIn(context, namespace));
  },
  mutateUpdate(object, _old, { kind, namespace, subresource }, context) {
    if (subresource === "" && isClaim(kind.resource))
      checkClaim(object, kind.resource, rangesIn(context, namespace));
  },
};

const isClaim = (resource: Resource): boolean =>
  groupResourceOf(resource) === groupResourceOf(persistentVolumeClaims);

const rangesIn = ({ store }: ServerContext, namespace: string | undefined): LimitRange[] =>
  namespace ? store.list(storePrefix(limitRanges, namespace)).map(({ object }) => object as LimitRange) : [];

function refuse(resource: Resource, { metadata }: KubeObject, errors: readonly string[]): void {
  if (errors.length === 0) return;
  const told = [...new Set(errors)];
  const why = told.length === 1 ? told[0]! : `[${told.join(", ")}]`;
  throw forbidden(resource, metadata.name || metadata.generateName || "", why);
}

function setDefaults(pod: Pod, { spec }: LimitRange): void {
  const limits: Record<string, string> = {};
  const requests: Record<string, string> = {};
  for (const item of spec?.limits ?? []) {
    if (item.type !== "Container") continue;
    Object.assign(limits, item.default);
    Object.assign(requests, item.defaultRequest);
  }
  const set = [
    ...(pod.spec.containers ?? []).flatMap((container) =>
      complete(container, "container", { limits, requests }),
    ),
    ...(pod.spec.initContainers ?? []).flatMap((container) =>
      complete(container, "init container", { limits, requests }),
    ),
  ];
  if (set.length === 0) return;
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [ANNOTATION]: `LimitRanger plugin set: ${set.join("; ")}`,
  };
}

/** Says what it has set: `cpu, memory request for container web`. */
function complete(
  container: Container,
  what: string,
  defaults: { limits: Quantities; requests: Quantities },
): string[] {
  const set: string[] = [];
  for (const side of ["requests", "limits"] as const) {
    const own = container.resources?.[side] ?? {};
    const missing = Object.keys(defaults[side]).filter((name) => !Object.hasOwn(own, name));
    if (missing.length === 0) continue;
    container.resources = {
      ...container.resources,
      [side]: { ...own, ...Object.fromEntries(missing.map((name) => [name, defaults[side][name]])) },
    };
    set.push(`${missing.sort().join(", ")} ${side.slice(0, -1)} for ${what} ${container.name}`);
  }
  return set;
}

function podErrors(pod: Pod, { spec }: LimitRange): string[] {
  return (spec?.limits ?? []).flatMap((item) => {
    if (item.type === "Container")
      return (pod.spec.containers ?? []).flatMap(({ resources }) => itemErrors(item, resources ?? {}));
    if (item.type !== "Pod") return [];
    const requests = amountsField(podAmounts(pod, "requests"));
    return itemErrors(item, { requests, limits: amountsField(podAmounts(pod, "limits")) });
  });
}

function itemErrors(item: LimitRangeItem, asked: Asked): string[] {
  // What is no quantity is for validation to tell.
  if (!isReadable(asked.requests) || !isReadable(asked.limits)) return [];
  return [
    ...sorted(item.min).flatMap(([name, bound]) => minimumErrors(item.type, name, bound, asked)),
    ...sorted(item.max).flatMap(([name, bound]) => maximumErrors(item.type, name, bound, asked)),
    ...sorted(item.maxLimitRequestRatio).flatMap(([name, bound]) =>
      ratioErrors(item.type, name, bound, asked),
    ),
  ];
}

const isReadable = (amounts: Quantities = {}): boolean => Object.values(amounts).every(isQuantity);

const sorted = (amounts: Quantities = {}) => Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1));

function minimumErrors(type: string, name: string, bound: string, { requests, limits }: Asked): string[] {
  const [request, limit] = [requests?.[name], limits?.[name]];
  const text = `minimum ${name} usage per ${type} is ${bound}`;
  if (request === undefined) return [`${text}.  No request is specified`];
  if (compareQuantities(request, bound) < 0) return [`${text}, but request is ${request}`];
  if (limit !== undefined && compareQuantities(limit, bound) < 0) return [`${text}, but limit is ${limit}`];
  return [];
}

function maximumErrors(type: string, name: string, bound: string, { requests, limits }: Asked): string[] {
  const [request, limit] = [requests?.[name], limits?.[name]];
  const text = `maximum ${name} usage per ${type} is ${bound}`;
  if (limit === undefined) return [`${text}.  No limit is specified`];
  if (compareQuantities(limit, bound) > 0) return [`${text}, but limit is ${limit}`];
  if (request !== undefined && compareQuantities(request, bound) > 0)
    return [`${text}, but request is ${request}`];
  return [];
}

function ratioErrors(type: string, name: string, bound: string, { requests, limits }: Asked): string[] {
  const text = `${name} max limit to request ratio per ${type} is ${bound}`;
  const request = quantityToNumber(requests?.[name] ?? "0");
  const limit = quantityToNumber(limits?.[name] ?? "0");
  if (request === 0) return [`${text}, but no request is specified or request is 0`];
  if (limit === 0) return [`${text}, but no limit is specified or limit is 0`];
  const ratio = limit / request;
  return ratio > quantityToNumber(bound) ? [`${text}, but provided ratio is ${ratio.toFixed(6)}`] : [];
}

function checkClaim(object: KubeObject, resource: Resource, ranges: readonly LimitRange[]): void {
  const { requests = {} } = (object as PersistentVolumeClaim).spec?.resources ?? {};
  if (!isReadable(requests)) return;
  for (const { spec } of ranges) {
    const items = (spec?.limits ?? []).filter(({ type }) => type === "PersistentVolumeClaim");
    const errors = items.flatMap(({ type, min, max }) => [
      ...sorted(min).flatMap(([name, bound]) => minimumErrors(type, name, bound, { requests })),
      ...sorted(max).flatMap(([name, bound]) => claimMaximumErrors(name, bound, requests[name])),
    ]);
    refuse(resource, object, errors);
  }
}

function claimMaximumErrors(name: string, bound: string, request: string | undefined): string[] {
  const text = `maximum ${name} usage per PersistentVolumeClaim is ${bound}`;
  if (request === undefined) return [`${text}.  No request is specified`];
  return compareQuantities(request, bound) > 0 ? [`${text}, but request is ${request}`] : [];
}
