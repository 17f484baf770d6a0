// What bounds disruption, orders pods and gives them an identity, and what they are configured with, in words.
import type {
  ConfigMap,
  PodDisruptionBudget,
  PriorityClass,
  Secret,
  ServiceAccount,
} from "../../api/generated/types.ts";
import { secrets } from "../../api/kinds/secret.ts";
import { formatLabelSelector, formatLabels } from "../../api/selectors.ts";
import { annotationsLines, type Describe, head, labelsLines, listLines } from "./common.ts";

export const describeBudget: Describe<PodDisruptionBudget> = (budget) => {
  const { spec, status } = budget;
  const { minAvailable, maxUnavailable } = spec ?? {};
  return [
    head(budget),
    minAvailable === undefined ? "" : `Min available:\t${minAvailable}\n`,
    minAvailable === undefined && maxUnavailable !== undefined ? `Max unavailable:\t${maxUnavailable}\n` : "",
    `Selector:\t${spec?.selector ? formatLabelSelector(spec.selector) : "<unset>"}\n`,
    "Status:\n",
    `    Allowed disruptions:\t${status?.disruptionsAllowed ?? 0}\n`,
    `    Current:\t${status?.currentHealthy ?? 0}\n`,
    `    Desired:\t${status?.desiredHealthy ?? 0}\n`,
    `    Total:\t${status?.expectedPods ?? 0}\n`,
  ].join("");
};

export const describePriority: Describe<PriorityClass> = (priority) =>
  [
    `Name:\t${priority.metadata.name}\n`,
    `Value:\t${priority.value}\n`,
    `GlobalDefault:\t${priority.globalDefault ?? false}\n`,
    `PreemptionPolicy:\t${priority.preemptionPolicy ?? ""}\n`,
    `Description:\t${priority.description ?? ""}\n`,
    `Annotations:\t${formatLabels(priority.metadata.annotations)}\n`,
  ].join("");

export const describeServiceAccount: Describe<ServiceAccount> = async (account, client) => {
  const { name, uid, namespace = "" } = account.metadata;
  const { items } = await client.list<Secret>(secrets, { namespace });
  const existing = new Set(items.map(({ metadata }) => metadata.name));
  const tokens = items.filter(
    ({ type, metadata: { annotations } }) =>
      type === "kubernetes.io/service-account-token" &&
      annotations?.["kubernetes.io/service-account.name"] === name &&
      annotations?.["kubernetes.io/service-account.uid"] === uid,
  );
  const names = (references: readonly { readonly name?: string }[] = []) =>
    references.map(({ name: secret = "" }) => (existing.has(secret) ? secret : `${secret} (not found)`));
  return [
    head(account),
    labelsLines(account),
    annotationsLines(account),
    listLines("Image pull secrets", names(account.imagePullSecrets)),
    listLines("Mountable secrets", names(account.secrets)),
    listLines("Tokens", names(tokens.map(({ metadata }) => metadata))),
  ].join("");
};

export const describeConfigMap: Describe<ConfigMap> = (map) => {
  const entries = Object.entries(map.data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const bytes = Object.entries(map.binaryData ?? {}).map(
    ([name, value]) => `${name}: ${base64Bytes(value)} bytes\n`,
  );
  const data = entries.map(([name, value]) => `${name}:\n----\n${value}\n\n`).join("");
  return `${head(map)}${labelsLines(map)}${annotationsLines(map)}\nData\n====\n${data}\nBinaryData\n====\n${bytes.join("")}\n`;
};

export const describeSecret: Describe<Secret> = (secret) => {
  const entries = Object.entries(secret.data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const data = entries.map(([name, value]) => `${name}:\t${base64Bytes(value)} bytes\n`).join("");
  return `${head(secret)}${labelsLines(secret)}${annotationsLines(secret)}\nType:\t${secret.type ?? ""}\n\nData\n====\n${data}`;
};

const base64Bytes = (value: unknown): number => Buffer.from(String(value), "base64").length;
