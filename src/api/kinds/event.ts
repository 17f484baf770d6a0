import type { Event } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";

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
  singular: "event",
  shortNames: ["ev"],
  nameRule: "dns-subdomain",
  columns: [nameColumn(), ageColumn()],
};
