// Event, as core/v1 serves it and as it is stored; event/events-v1.ts is its other form. Its age is that of the last occurrence, and it expires.
import type { Event } from "../generated/types.ts";
import { type Column, humanDuration, type KindDefinition } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { invalid } from "../status-error.ts";
import { eventsV1Form } from "./event/events-v1.ts";

export const events: Resource<Event> = {
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  namespaced: true,
};

export const eventKind: KindDefinition<Event> = {
  resource: events,
  schema: "io.k8s.api.core.v1.Event",
  servedAs: [eventsV1Form],
  singular: "event",
  shortNames: ["ev"],
  nameRule: "dns-subdomain",
  createsOnUpdate: true,
  timeToLive: "event",
  defaults(event) {
    event.involvedObject ??= {};
    // No pointer in Go, so always written, whichever form it came in.
    event.source ??= {};
  },
  validate({ metadata, involvedObject, eventTime }) {
    const about = involvedObject?.namespace ?? "";
    const { namespace = "" } = metadata;
    // Events about what has no namespace lie in `default`, those of the newer kind in `kube-system` as well; of these one
    // may lie in another namespace than what it is about.
    const fits = eventTime
      ? about !== "" || ["default", "kube-system"].includes(namespace)
      : namespace === (about || "default");
    if (fits) return [];
    return [invalid("involvedObject.namespace", about, "does not match event.namespace")];
  },
  columns: [
    /* @__PURE__ */ column("Last Seen", "When it last happened.", lastSeen),
    /* @__PURE__ */ column("Type", "Normal or Warning.", (event) => event.type ?? ""),
    /* @__PURE__ */ column("Reason", "The reason in one word.", (event) => event.reason ?? ""),
    /* @__PURE__ */ column("Object", "What it is about.", ({ involvedObject: { kind, name } }) => {
      const lower = (kind ?? "").toLowerCase();
      return name ? `${lower}/${name}` : lower;
    }),
    /* @__PURE__ */ column(
      "Subobject",
      "The part of the object.",
      (event) => event.involvedObject.fieldPath ?? "",
      1,
    ),
    /* @__PURE__ */ column("Source", "Who reported it.", sourceText, 1),
    /* @__PURE__ */ column("Message", "What happened.", (event) => (event.message ?? "").trim()),
    /* @__PURE__ */ column("First Seen", "When it first happened.", firstSeen, 1),
    /* @__PURE__ */ column(
      "Count",
      "How often it happened.",
      (event) => String(event.series?.count ?? (event.count || 1)),
      1,
    ),
    {
      name: "Name",
      type: "string",
      format: "name",
      priority: 1,
      description: "Name of the event.",
      value: (event) => event.metadata.name,
    },
  ],
  fields: ({ involvedObject, reason, reportingComponent, source, type }) => ({
    "involvedObject.kind": involvedObject.kind ?? "",
    "involvedObject.namespace": involvedObject.namespace ?? "",
    "involvedObject.name": involvedObject.name ?? "",
    "involvedObject.uid": involvedObject.uid ?? "",
    "involvedObject.apiVersion": involvedObject.apiVersion ?? "",
    "involvedObject.resourceVersion": involvedObject.resourceVersion ?? "",
    "involvedObject.fieldPath": involvedObject.fieldPath ?? "",
    reason: reason ?? "",
    reportingComponent: reportingComponent ?? "",
    source: source?.component || reportingComponent || "",
    type: type ?? "",
  }),
};

function column(
  name: string,
  description: string,
  value: Column<Event>["value"],
  priority: 0 | 1 = 0,
): Column<Event> {
  return { name, type: "string", priority, description, value };
}

const since = (time: string, nowMs: number): string => humanDuration(nowMs - Date.parse(time));

function firstSeen({ firstTimestamp, eventTime }: Event, nowMs: number): string {
  const first = firstTimestamp || eventTime;
  return first ? since(first, nowMs) : "<unknown>";
}

function lastSeen(event: Event, nowMs: number): string {
  const last = event.series?.lastObservedTime || event.lastTimestamp;
  return last ? since(last, nowMs) : firstSeen(event, nowMs);
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || "";
  const host = source?.host || reportingInstance || "";
  return host ? `${component}, ${host}` : component;
}
