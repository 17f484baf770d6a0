// LimitRange: defaults and bounds for what single containers, pods and claims ask for. Admission applies them.
import {
  compareQuantities,
  isQuantity,
  QUANTITY_FORMAT_ERROR,
  quantityToNumber,
} from "../../base/quantity.ts";
import type { LimitRange, LimitRangeItem } from "../generated/types.ts";
import { type KindDefinition, nameColumn, textColumn } from "../kind.ts";
import { labelKeyErrors } from "../label-syntax.ts";
import type { Draft } from "../object.ts";
import type { Resource } from "../resource.ts";
import { duplicate, type FieldError, forbiddenField, invalid, required } from "../status-error.ts";

export const limitRanges: Resource<LimitRange> = {
  group: "",
  version: "v1",
  kind: "LimitRange",
  plural: "limitranges",
  namespaced: true,
};

const TYPES = ["Pod", "Container", "PersistentVolumeClaim"];
const STANDARD = /^(cpu|memory|storage|ephemeral-storage|hugepages-.+)$/;
const BOUNDS = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;

type Bound = (typeof BOUNDS)[number];

export const limitRangeKind: KindDefinition<LimitRange> = {
  resource: limitRanges,
  schema: "io.k8s.api.core.v1.LimitRange",
  singular: "limitrange",
  shortNames: ["limits"],
  nameRule: "dns-subdomain",
  createsOnUpdate: true,
  hasGeneration: false,
  defaults({ spec }) {
    for (const item of spec?.limits ?? []) if (item.type === "Container") defaultItem(item);
  },
  validate: ({ spec }) => validateItems(spec?.limits ?? []),
  columns: [
    /* @__PURE__ */ nameColumn(),
    /* @__PURE__ */ textColumn(
      "Created At",
      "When it was created.",
      ({ metadata }) => metadata.creationTimestamp,
    ),
  ],
};

/** The limit defaults to the maximum, the request to the limit, else to the minimum. */
function defaultItem(item: Draft<LimitRangeItem>): void {
  const limits = { ...item.max, ...item.default };
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  if (Object.keys(limits).length > 0) item.default = limits;
  if (Object.keys(requests).length > 0) item.defaultRequest = requests;
}

function validateItems(items: readonly LimitRangeItem[]): FieldError[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const at = `spec.limits[${index}]`;
    const { type } = item;
    const errors = labelKeyErrors(type ?? "").map((why) => invalid(`${at}.type`, type ?? "", why));
    if (errors.length === 0 && !type.includes("/") && !TYPES.includes(type))
      errors.push(invalid(`${at}.type`, type, "must be a standard limit type or fully qualified"));
    if (seen.has(type)) errors.push(duplicate(`${at}.type`, type));
    seen.add(type);
    return [...errors, ...validateBounds(item, at)];
  });
}

function validateBounds(item: LimitRangeItem, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const isPod = item.type === "Pod";
  for (const bound of BOUNDS) {
    const amounts = item[bound] ?? {};
    if (isPod && bound.startsWith("default")) {
      if (Object.keys(amounts).length > 0)
        errors.push(forbiddenField(`${at}.${bound}`, "may not be specified when `type` is 'Pod'"));
      continue;
    }
    for (const [name, amount] of Object.entries(amounts)) {
      const field = `${at}.${bound}[${name}]`;
      errors.push(...labelKeyErrors(name).map((why) => invalid(field, name, why)));
      if (!name.includes("/") && !STANDARD.test(name))
        errors.push(invalid(field, name, "must be a standard resource type or fully qualified"));
      if (!isQuantity(amount)) errors.push(invalid(field, amount, QUANTITY_FORMAT_ERROR));
    }
  }
  if (errors.length > 0) return errors;
  if (item.type === "PersistentVolumeClaim" && !item.min?.["storage"] && !item.max?.["storage"])
    errors.push(
      required(
        `${at}.limits`,
        "either minimum or maximum storage value is required, but neither was provided",
      ),
    );
  const names = new Set(BOUNDS.flatMap((bound) => Object.keys(item[bound] ?? {})));
  return [...errors, ...[...names].flatMap((name) => validateOrder(item, name, at))];
}

/** What must not be greater than what, and where and how that is told. */
const ORDER: readonly {
  low: Bound;
  high: Bound;
  field: Bound;
  value: Bound;
  text: readonly [string, string];
}[] = [
  { low: "min", high: "max", field: "min", value: "min", text: ["min", "max"] },
  {
    low: "min",
    high: "defaultRequest",
    field: "defaultRequest",
    value: "defaultRequest",
    text: ["min", "default request"],
  },
  {
    low: "defaultRequest",
    high: "max",
    field: "defaultRequest",
    value: "defaultRequest",
    text: ["default request", "max"],
  },
  {
    low: "defaultRequest",
    high: "default",
    field: "defaultRequest",
    value: "defaultRequest",
    text: ["default request", "default limit"],
  },
  { low: "min", high: "default", field: "default", value: "min", text: ["min", "default"] },
  { low: "default", high: "max", field: "default", value: "max", text: ["default", "max"] },
];

function validateOrder(item: LimitRangeItem, name: string, at: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const { low, high, field, value, text } of ORDER) {
    const [lower, higher] = [item[low]?.[name], item[high]?.[name]];
    if (lower === undefined || higher === undefined || compareQuantities(lower, higher) <= 0) continue;
    const why = `${text[0]} value ${lower} is greater than ${text[1]} value ${higher}`;
    errors.push(invalid(`${at}.${field}[${name}]`, item[value]?.[name], why));
  }
  const ratio = item.maxLimitRequestRatio?.[name];
  if (ratio === undefined) return errors;
  const field = `${at}.maxLimitRequestRatio[${name}]`;
  if (quantityToNumber(ratio) < 1) errors.push(invalid(field, ratio, `ratio ${ratio} is less than 1`));
  const [min, max] = [item.min?.[name], item.max?.[name]];
  if (min === undefined || max === undefined || quantityToNumber(min) === 0) return errors;
  const widest = quantityToNumber(max) / quantityToNumber(min);
  if (quantityToNumber(ratio) > widest)
    errors.push(invalid(field, ratio, `ratio ${ratio} is greater than max/min = ${widest.toFixed(6)}`));
  return errors;
}
