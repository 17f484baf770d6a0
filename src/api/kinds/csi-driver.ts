// CSIDriver: stored for clients that ask for it; kubemu calls no CSI driver.
import type { CSIDriver } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { type FieldError, invalid, notSupported } from "../status-error.ts";
import { validateDriverName } from "../validation/csi.ts";
import { validateImmutable } from "../validation/object-meta.ts";

export const csiDrivers: Resource<CSIDriver> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  plural: "csidrivers",
  namespaced: false,
};

const POLICIES = ["File", "None", "ReadWriteOnceWithFSType"];
const MODES = ["Ephemeral", "Persistent"];
const SHORTEST_TOKEN_SECONDS = 600;
const LONGEST_TOKEN_SECONDS = 2 ** 32;

function validateDriver({ metadata, spec }: CSIDriver): FieldError[] {
  const { fsGroupPolicy, volumeLifecycleModes = [], tokenRequests = [] } = spec;
  const errors = validateDriverName(metadata.name, "metadata.name");
  if (fsGroupPolicy && !POLICIES.includes(fsGroupPolicy))
    errors.push(notSupported("spec.fsGroupPolicy", fsGroupPolicy, POLICIES));
  for (const mode of volumeLifecycleModes)
    if (!MODES.includes(mode)) errors.push(notSupported("spec.volumeLifecycleModes", mode, MODES));
  for (const [index, { expirationSeconds }] of tokenRequests.entries()) {
    if (expirationSeconds === undefined) continue;
    const at = `spec.tokenRequests[${index}].expirationSeconds`;
    if (expirationSeconds < SHORTEST_TOKEN_SECONDS)
      errors.push(invalid(at, expirationSeconds, "may not specify a duration less than 10 minutes"));
    if (expirationSeconds > LONGEST_TOKEN_SECONDS)
      errors.push(invalid(at, expirationSeconds, "may not specify a duration larger than 2^32 seconds"));
  }
  return errors;
}

export const csiDriverKind: KindDefinition<CSIDriver> = {
  resource: csiDrivers,
  schema: "io.k8s.api.storage.v1.CSIDriver",
  singular: "csidriver",
  nameRule: "dns-subdomain",
  validate: validateDriver,
  defaults(driver) {
    driver.spec ??= {};
    const { spec } = driver;
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ["Persistent"];
  },
  validateUpdate: ({ spec }, old) => [
    ...validateImmutable(spec.attachRequired, old.spec.attachRequired, "spec.attachRequired"),
    ...validateImmutable(
      spec.volumeLifecycleModes,
      old.spec.volumeLifecycleModes,
      "spec.volumeLifecycleModes",
    ),
  ],
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "AttachRequired",
      type: "boolean",
      priority: 0,
      description: "Whether volumes are attached before they are mounted.",
      value: ({ spec }) => spec.attachRequired ?? true,
    },
    {
      name: "PodInfoOnMount",
      type: "boolean",
      priority: 0,
      description: "Whether the driver is told about the pod.",
      value: ({ spec }) => spec.podInfoOnMount ?? false,
    },
    {
      name: "StorageCapacity",
      type: "boolean",
      priority: 0,
      description: "Whether the scheduler is told how much is left.",
      value: ({ spec }) => spec.storageCapacity ?? false,
    },
    {
      name: "TokenRequests",
      type: "string",
      priority: 0,
      description: "The audiences of the tokens that the driver gets.",
      value: ({ spec }) => spec.tokenRequests?.map(({ audience }) => audience).join(",") || "<unset>",
    },
    {
      name: "RequiresRepublish",
      type: "boolean",
      priority: 0,
      description: "Whether the driver is called again for mounted volumes.",
      value: ({ spec }) => spec.requiresRepublish ?? false,
    },
    {
      name: "Modes",
      type: "string",
      priority: 0,
      description: "Persistent, Ephemeral or both.",
      value: ({ spec }) => spec.volumeLifecycleModes?.join(",") || "<none>",
    },
    /* @__PURE__ */ ageColumn(),
  ],
};
