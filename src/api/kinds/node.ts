// Node: one machine, which is one node-agent process.
import type { Node } from "../generated/types.ts";
import { ageColumn, type Column, type KindDefinition, nameColumn } from "../kind.ts";
import { labelKeyErrors, labelValueErrors } from "../label-syntax.ts";
import type { Resource } from "../resource.ts";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalid,
  notSupported,
  required,
} from "../status-error.ts";

export const nodes: Resource<Node> = {
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  namespaced: false,
};

const ROLE_PREFIX = "node-role.kubernetes.io/";
const ROLE_LABEL = "kubernetes.io/role";

const statusColumn: Column<Node> = {
  name: "Status",
  type: "string",
  priority: 0,
  description: "Whether the node is ready for pods.",
  value: ({ spec, status }) => {
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    const words = [ready ? (ready.status === "True" ? "Ready" : "NotReady") : "Unknown"];
    if (spec.unschedulable) words.push("SchedulingDisabled");
    return words.join(",");
  },
};

const rolesColumn: Column<Node> = {
  name: "Roles",
  type: "string",
  priority: 0,
  description: "The roles of the node.",
  value: ({ metadata }) => {
    const roles = new Set<string>();
    for (const [label, value] of Object.entries(metadata.labels ?? {})) {
      if (label.startsWith(ROLE_PREFIX)) roles.add(label.slice(ROLE_PREFIX.length));
      else if (label === ROLE_LABEL) roles.add(value);
    }
    roles.delete("");
    return [...roles].sort().join(",") || "<none>";
  },
};

const address = (node: Node, type: string): string =>
  node.status?.addresses?.find((one) => one.type === type)?.address || "<none>";

export const nodeKind: KindDefinition<Node> = {
  resource: nodes,
  schema: "io.k8s.api.core.v1.Node",
  singular: "node",
  shortNames: ["no"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  // An agent registers with its status.
  keepsStatusOnCreate: true,
  hasGeneration: false,
  defaults(node) {
    node.spec ??= {};
    if (node.status?.capacity) node.status.allocatable ??= { ...node.status.capacity };
  },
  validate: (node, { subresource }) => (subresource === "status" ? [] : validateTaints(node)),
  validateUpdate(node, old) {
    const errors: FieldError[] = [];
    if (old.spec.podCIDR && node.spec.podCIDR !== old.spec.podCIDR) {
      errors.push(
        forbiddenField("spec.podCIDR", 'node updates may not change podCIDR except from "" to valid'),
      );
    }
    if (old.spec.providerID && node.spec.providerID !== old.spec.providerID) {
      errors.push(
        forbiddenField("spec.providerID", 'node updates may not change providerID except from "" to valid'),
      );
    }
    return errors;
  },
  columns: [
    /* @__PURE__ */ nameColumn(),
    statusColumn,
    rolesColumn,
    /* @__PURE__ */ ageColumn(),
    {
      name: "Version",
      type: "string",
      priority: 0,
      description: "Version that the node's agent reports.",
      value: (node) => node.status?.nodeInfo?.kubeletVersion ?? "",
    },
    {
      name: "Internal-IP",
      type: "string",
      priority: 1,
      description: "Address inside the cluster.",
      value: (node) => address(node, "InternalIP"),
    },
    {
      name: "External-IP",
      type: "string",
      priority: 1,
      description: "Address outside the cluster.",
      value: (node) => address(node, "ExternalIP"),
    },
    {
      name: "OS-Image",
      type: "string",
      priority: 1,
      description: "Operating system.",
      value: (node) => node.status?.nodeInfo?.osImage || "<unknown>",
    },
    {
      name: "Kernel-Version",
      type: "string",
      priority: 1,
      description: "Version of the kernel.",
      value: (node) => node.status?.nodeInfo?.kernelVersion || "<unknown>",
    },
    {
      name: "Container-Runtime",
      type: "string",
      priority: 1,
      description: "What runs the containers.",
      value: (node) => node.status?.nodeInfo?.containerRuntimeVersion || "<unknown>",
    },
  ],
  fields: (node) => ({ "spec.unschedulable": String(node.spec.unschedulable ?? false) }),
};

const TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

function validateTaints({ spec }: Node): FieldError[] {
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  for (const [index, taint] of (spec.taints ?? []).entries()) {
    const at = `spec.taints[${index}]`;
    for (const why of labelKeyErrors(taint.key)) errors.push(invalid(`${at}.key`, taint.key, why));
    const wrongValue = labelValueErrors(taint.value ?? "");
    if (wrongValue.length > 0) errors.push(invalid(`${at}.value`, taint.value, wrongValue.join(";")));
    if (!taint.effect) errors.push(required(`${at}.effect`));
    else if (!TAINT_EFFECTS.includes(taint.effect)) {
      errors.push(notSupported(`${at}.effect`, taint.effect, TAINT_EFFECTS));
    }
    // Taints are unique by key and effect.
    const identity = `${taint.key}:${taint.effect}`;
    if (seen.has(identity)) errors.push(duplicate(at, taint));
    seen.add(identity);
  }
  return errors;
}
