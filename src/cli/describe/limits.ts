// What bounds a namespace: its ResourceQuotas and LimitRanges, alone and in the description of the Namespace.
import type { LimitRange, Namespace, ResourceQuota } from "../../api/generated/types.ts";
import { limitRanges } from "../../api/kinds/limit-range.ts";
import { resourceQuotas } from "../../api/kinds/resource-quota.ts";
import type { Client } from "../../client/client.ts";
import { annotationsLines, head, indent, labelsLines } from "./common.ts";

// kubectl's words.
const SCOPES: Readonly<Record<string, string>> = {
  Terminating:
    "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system.",
  NotTerminating:
    "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate.",
  BestEffort:
    "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.",
  NotBestEffort:
    "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service.",
};

function scopeLines({ spec }: ResourceQuota): string {
  const scopes = (spec?.scopes ?? []).toSorted();
  if (scopes.length === 0) return "";
  const helps = scopes.flatMap((scope) => (SCOPES[scope] ? [` * ${SCOPES[scope]}\n`] : []));
  return `Scopes:\t${scopes.join(", ")}\n${helps.join("")}`;
}

function usageLines({ status }: ResourceQuota): string {
  const names = Object.keys(status?.hard ?? {}).sort();
  return names.map((name) => `${name}\t${status?.used?.[name] ?? "0"}\t${status?.hard?.[name]}\n`).join("");
}

const LIMIT_COLUMNS = "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio";

function limitLines({ spec }: LimitRange): string {
  return spec.limits
    .flatMap(({ type, min, max, defaultRequest, default: limit, maxLimitRequestRatio }) => {
      const amounts = [min, max, defaultRequest, limit, maxLimitRequestRatio];
      const names = new Set(amounts.flatMap((each) => Object.keys(each ?? {})));
      return [...names]
        .sort()
        .map((name) => `${[type, name, ...amounts.map((each) => each?.[name] ?? "-")].join("\t")}\n`);
    })
    .join("");
}

const dashes = (columns: string): string => columns.replace(/[^\t]+/g, ({ length }) => "-".repeat(length));
const LIMIT_DASHES = dashes(LIMIT_COLUMNS);

export const describeQuota = (quota: ResourceQuota): string => {
  const columns = "Resource\tUsed\tHard";
  return `${head(quota)}${scopeLines(quota)}${columns}\n${dashes(columns)}\n${usageLines(quota)}`;
};

export const describeLimits = (range: LimitRange): string =>
  `${head(range)}${LIMIT_COLUMNS}\n${LIMIT_DASHES}\n${limitLines(range)}`;

export const describeNamespace = async (namespace: Namespace, client: Client): Promise<string> => {
  const { name } = namespace.metadata;
  const [quotas, ranges] = await Promise.all([
    client.list<ResourceQuota>(resourceQuotas, { namespace: name }),
    client.list<LimitRange>(limitRanges, { namespace: name }),
  ]);
  return [
    `Name:\t${name}\n${labelsLines(namespace)}${annotationsLines(namespace)}`,
    `Status:\t${namespace.status?.phase ?? ""}\n\n`,
    quotas.items.length === 0
      ? "No resource quota.\n"
      : `Resource Quotas\n${quotas.items.map(inNamespace).join("")}`,
    "\n",
    ranges.items.length === 0
      ? "No LimitRange resource.\n"
      : `Resource Limits\n${indent(`${LIMIT_COLUMNS}\n${LIMIT_DASHES}\n${ranges.items.map(limitLines).join("")}`, " ")}`,
  ].join("");
};

const inNamespace = (quota: ResourceQuota): string => {
  const scopes = scopeLines(quota).replaceAll(/^ \*/gm, "*");
  const table = `Resource\tUsed\tHard\n--------\t---\t---\n${usageLines(quota)}`;
  return indent(`Name:\t${quota.metadata.name}\n${scopes}${table}`, "  ");
};
