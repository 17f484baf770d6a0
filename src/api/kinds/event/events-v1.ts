// Event as events.k8s.io/v1 serves it: the same objects as core/v1's, with the newer names, stricter about what is written.
import { isDeepStrictEqual } from "node:util";
import type { Event, EventsEvent } from "../../generated/types.ts";
import type { ServedForm } from "../../kind.ts";
import type { Resource } from "../../resource.ts";
import { type FieldError, invalid, required } from "../../status-error.ts";

export const eventsV1: Resource<EventsEvent> = {
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  namespaced: true,
};

const LONGEST_WORD = 128;
const LONGEST_NOTE = 1024;
const FEWEST_IN_SERIES = 2;
const TYPES: readonly unknown[] = ["Normal", "Warning"];

export const eventsV1Form: ServedForm<EventsEvent, Event> = {
  resource: eventsV1,
  schema: "io.k8s.api.events.v1.Event",
  validate: (event, old) => (old ? validateUpdate(event, old) : validateCreate(event)),
  fields: ({ regarding = {}, reason, reportingController, type }) => ({
    "regarding.kind": regarding.kind ?? "",
    "regarding.namespace": regarding.namespace ?? "",
    "regarding.name": regarding.name ?? "",
    "regarding.uid": regarding.uid ?? "",
    "regarding.apiVersion": regarding.apiVersion ?? "",
    "regarding.resourceVersion": regarding.resourceVersion ?? "",
    "regarding.fieldPath": regarding.fieldPath ?? "",
    reason: reason ?? "",
    reportingController: reportingController ?? "",
    type: type ?? "",
  }),
  toStored({
    regarding,
    note,
    reportingController,
    deprecatedSource,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedCount,
    eventTime,
    series,
    ...same
  }) {
    return defined({
      ...same,
      involvedObject: regarding ?? {},
      message: note,
      reportingComponent: reportingController,
      source: deprecatedSource,
      firstTimestamp: deprecatedFirstTimestamp,
      lastTimestamp: deprecatedLastTimestamp,
      count: deprecatedCount,
      eventTime: eventTime || undefined,
      series: series && { ...series },
    }) as unknown as Event;
  },
  fromStored({
    involvedObject,
    message,
    reportingComponent,
    source,
    firstTimestamp,
    lastTimestamp,
    count,
    series,
    ...same
  }) {
    return defined({
      ...same,
      regarding: involvedObject,
      note: message,
      reportingController: reportingComponent,
      deprecatedSource: source ?? {},
      deprecatedFirstTimestamp: firstTimestamp,
      deprecatedLastTimestamp: lastTimestamp,
      deprecatedCount: count,
      series: series && { ...series },
    }) as unknown as EventsEvent;
  },
};

/** Without the keys that have no value. */
function defined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function validateCreate(event: EventsEvent): FieldError[] {
  const { eventTime, series, reportingController, reportingInstance, action, reason, note, type } = event;
  const errors: FieldError[] = [];
  if (!eventTime) errors.push(required("eventTime"));
  if (series) {
    if ((series.count ?? 0) < FEWEST_IN_SERIES)
      errors.push(invalid("series.count", series.count ?? 0, `should be at least ${FEWEST_IN_SERIES}`));
    if (!series.lastObservedTime) errors.push(required("series.lastObservedTime"));
  }
  errors.push(
    ...word("reportingController", reportingController),
    ...word("reportingInstance", reportingInstance),
    ...word("action", action),
    ...word("reason", reason),
  );
  if (note && note.length > LONGEST_NOTE)
    errors.push(invalid("message", "", `can have at most ${LONGEST_NOTE} characters`));
  if (!TYPES.includes(type)) errors.push(invalid("type", "", `has invalid value: ${type ?? ""}`));
  return errors;
}

function word(field: string, value: string | undefined): FieldError[] {
  if (!value) return [required(field)];
  if (value.length <= LONGEST_WORD) return [];
  return [invalid(field, "", `can have at most ${LONGEST_WORD} characters`)];
}

const IMMUTABLE = [
  ["regarding", "involvedObject"],
  ["reason", "reason"],
  ["note", "message"],
  ["deprecatedSource", "source"],
  ["deprecatedFirstTimestamp", "firstTimestamp"],
  ["deprecatedLastTimestamp", "lastTimestamp"],
  ["deprecatedCount", "count"],
  ["type", "type"],
  ["eventTime", "eventTime"],
  ["action", "action"],
  ["related", "related"],
  ["reportingController", "reportingController"],
  ["reportingInstance", "reportingInstance"],
] as const;

/** Only the series goes on: Kubernetes calls the fields by the names of its internal type. */
function validateUpdate(event: EventsEvent, old: EventsEvent): FieldError[] {
  return IMMUTABLE.filter(([field]) => !isDeepStrictEqual(event[field], old[field])).map(([field, told]) =>
    invalid(told, event[field] ?? null, "field is immutable"),
  );
}
