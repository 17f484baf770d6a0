// CSINode: stored for clients that ask for it; kubemu's nodes have no CSI driver.
import type { CSINode, CSINodeDriver } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import { labelKeyErrors } from "../label-syntax.ts";
import type { Resource } from "../resource.ts";
import { duplicate, type FieldError, invalid, required } from "../status-error.ts";
import { validateDriverName } from "../validation/csi.ts";

export const csiNodes: Resource<CSINode> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSINode",
  plural: "csinodes",
  namespaced: false,
};

const LONGEST_NODE_ID = 192;

function validateNode({ spec }: CSINode): FieldError[] {
  const seen = new Set<string>();
  return (spec.drivers ?? []).flatMap((driver, index) => {
    const at = `spec.drivers[${index}]`;
    const again = seen.has(driver.name) ? [duplicate(`${at}.name`, driver.name)] : [];
    seen.add(driver.name);
    return [...validateNodeDriver(driver, at), ...again];
  });
}

function validateNodeDriver(
  { name, nodeID, allocatable, topologyKeys = [] }: CSINodeDriver,
  at: string,
): FieldError[] {
  const errors = validateDriverName(name, `${at}.name`);
  if (!nodeID) errors.push(required(`${at}.nodeID`));
  else if (nodeID.length > LONGEST_NODE_ID)
    errors.push(invalid(`${at}.nodeID`, nodeID, `must be ${LONGEST_NODE_ID} characters or less`));
  if ((allocatable?.count ?? 0) < 0)
    errors.push(invalid(`${at}.allocatable.count`, allocatable?.count, "must be greater than or equal to 0"));
  const keys = `${at}.topologyKeys`;
  const seen = new Set<string>();
  for (const key of topologyKeys) {
    if (seen.has(key)) errors.push(duplicate(keys, key));
    seen.add(key);
    if (!key) errors.push(required(keys));
    else for (const why of labelKeyErrors(key)) errors.push(invalid(keys, key, why));
  }
  return errors;
}

export const csiNodeKind: KindDefinition<CSINode> = {
  resource: csiNodes,
  schema: "io.k8s.api.storage.v1.CSINode",
  singular: "csinode",
  nameRule: "dns-subdomain",
  validate: validateNode,
  defaults(node) {
    node.spec ??= {};
  },
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "Drivers",
      type: "integer",
      priority: 0,
      description: "How many drivers the node has.",
      value: ({ spec }) => spec.drivers?.length ?? 0,
    },
    /* @__PURE__ */ ageColumn(),
  ],
};
