// What is broken on purpose on the way from Services to their endpoints (docs/faults.md): the proxies act on it for as long as the
// object exists, for connections that are open as for new ones.
import { parseGoDuration } from "../../base/duration.ts";
import { ageColumn, type Column, type KindDefinition, nameColumn } from "../kind.ts";
import type { KubeObject } from "../object.ts";
import type { Resource } from "../resource.ts";
import type { TypeSchema } from "../schema.ts";
import { type FieldError, invalid, required } from "../status-error.ts";

export interface Fault extends KubeObject {
  spec: FaultSpec;
}

/** Each of `service`, `pod` and `node` that is given narrows the links down; with none of them it is all links. */
export interface FaultSpec {
  /** Of the Service and of the pod. Default: `default`. */
  namespace?: string;
  /** Links from this Service. */
  service?: string;
  /** Links to this pod. */
  pod?: string;
  /** Links to the pods of this node. */
  node?: string;
  /** How much later bytes and connects arrive, in each direction: `50ms`. */
  latency?: string;
  /** Up to so much later again, by chance. */
  jitter?: string;
  /** 0 … 1: the share of what is sent that is lost at first and arrives with a retransmission, 200 ms later (a connect: 1 s). */
  loss?: number;
  /** Nothing arrives, and connects time out. */
  cut?: boolean;
  /** Proxies act on changes of endpoints that much later, and no pod waits for them to: `500ms`. `service` narrows it down. */
  endpointLag?: string;
}

export const faults: Resource<Fault> = {
  group: "kubemu.dev",
  version: "v1alpha1",
  kind: "Fault",
  plural: "faults",
  namespaced: false,
};

const FAULT = "dev.kubemu.v1alpha1.Fault";
const SPEC = "dev.kubemu.v1alpha1.FaultSpec";
const string = { type: "string" };

const types: Readonly<Record<string, TypeSchema>> = {
  "dev.kubemu.v1alpha1.Fault": {
    gvk: [["kubemu.dev", "v1alpha1", "Fault"]],
    fields: {
      apiVersion: string,
      kind: string,
      metadata: { ref: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" },
      spec: { ref: SPEC, required: true },
    },
  },
  "dev.kubemu.v1alpha1.FaultSpec": {
    fields: {
      namespace: string,
      service: string,
      pod: string,
      node: string,
      latency: string,
      jitter: string,
      loss: { type: "number", format: "double" },
      cut: { type: "boolean" },
      endpointLag: string,
    },
  },
};

function validateFault({ spec }: Fault): FieldError[] {
  const { latency, jitter, loss, cut, endpointLag } = spec ?? {};
  const errors: FieldError[] = [];
  if ([latency, jitter, loss, cut, endpointLag].every((each) => each === undefined))
    errors.push(required("spec", "one of latency, jitter, loss, cut and endpointLag says what is wrong"));
  for (const [name, text] of Object.entries({ latency, jitter, endpointLag }))
    if (text !== undefined && parseGoDuration(text) === undefined)
      errors.push(invalid(`spec.${name}`, text, "must be a duration such as 50ms or 1.5s"));
  if (loss !== undefined && !(loss >= 0 && loss <= 1))
    errors.push(invalid("spec.loss", loss, "must be between 0 and 1, inclusive"));
  return errors;
}

const linksColumn: Column<Fault> = {
  name: "Links",
  type: "string",
  priority: 0,
  description: "Which links between Services and endpoints it concerns.",
  value({ spec: { namespace = "default", service, pod, node } }) {
    const parts = [
      service && `service/${namespace}/${service}`,
      pod && `pod/${namespace}/${pod}`,
      node && `node/${node}`,
    ].filter(Boolean);
    return parts.length > 0 ? parts.join(",") : "<all>";
  },
};

const effectColumn: Column<Fault> = {
  name: "Effect",
  type: "string",
  priority: 0,
  description: "What is wrong with them.",
  value({ spec: { latency, jitter, loss, cut, endpointLag } }) {
    if (cut) return "cut";
    return [
      latency && `latency ${latency}`,
      jitter && `jitter ${jitter}`,
      loss && `loss ${Math.round(loss * 1000) / 10}%`,
      endpointLag && `endpoints ${endpointLag} late`,
    ]
      .filter(Boolean)
      .join(",");
  },
};

export const faultKind: KindDefinition<Fault> = {
  resource: faults,
  schema: FAULT,
  types,
  singular: "fault",
  nameRule: "dns-subdomain",
  validate: validateFault,
  columns: [/* @__PURE__ */ nameColumn(), linksColumn, effectColumn, /* @__PURE__ */ ageColumn()],
};
