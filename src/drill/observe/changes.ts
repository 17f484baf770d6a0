// What changed between two states of an object, in the timeline's words. Pure.
import type { EndpointSlice, Node, Pod } from "../../api/generated/types.ts";
import { SERVICE_NAME } from "../../api/names.ts";
import { seePod } from "./world.ts";

type Described<T> = (after: Readonly<T> | undefined, before: Readonly<T> | undefined) => string[];

export const describePod: Described<Pod> = (after, before) => {
  const [now, was] = [after && seePod(after), before && seePod(before)];
  const name = now?.name ?? was?.name ?? "";
  if (!now) return [`${name} is gone`];
  const said: string[] = [];
  if (now.node && now.node !== was?.node) said.push(`${name} is to run on ${now.node}`);
  if (now.isEnding && !was?.isEnding) said.push(`${name} is ending`);
  if (was && now.restarts > was.restarts) said.push(`${name} was restarted`);
  if (now.isReady && !was?.isReady) said.push(`${name} is Ready`);
  if (was?.isReady && !now.isReady && !now.isEnding) said.push(`${name} is not Ready`);
  return said;
};

export const describeEndpoints: Described<EndpointSlice> = (after, before) => {
  const service = (after ?? before)?.metadata.labels?.[SERVICE_NAME] ?? "";
  const [now, was] = [servingOf(after), servingOf(before)];
  return [
    ...[...was].filter((pod) => !now.has(pod)).map((pod) => `${service} sends nothing to ${pod} any more`),
    ...[...now].filter((pod) => !was.has(pod)).map((pod) => `${service} sends to ${pod}`),
  ];
};

function servingOf(slice: Readonly<EndpointSlice> | undefined): Set<string> {
  return new Set(
    (slice?.endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .map(({ targetRef, addresses }) => targetRef?.name ?? addresses[0] ?? ""),
  );
}

export const describeNode: Described<Node> = (after, before) => {
  const name = (after ?? before)?.metadata.name ?? "";
  if (!after) return [`${name} is gone`];
  const [now, was] = [readyOf(after), readyOf(before)];
  const isCordoned = after.spec?.unschedulable === true;
  return [
    ...(now === was ? [] : [`${name} is ${now === "True" ? "Ready" : "not Ready"}`]),
    ...(isCordoned === (before?.spec?.unschedulable === true)
      ? []
      : [`${name} is ${isCordoned ? "cordoned" : "schedulable"}`]),
  ];
};

const readyOf = (node: Readonly<Node> | undefined) =>
  node?.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True" ? "True" : "no";
