// What stands behind an image name: kubemu has no container runtime, so an Image object says which program a container of
// that image is. The node agents read these (agents/node/images/); the built-in catalogue has the same shape.
import { ageColumn, type Column, type KindDefinition, nameColumn } from "../kind.ts";
import type { KubeObject } from "../object.ts";
import type { Resource } from "../resource.ts";
import type { FieldSchema, TypeSchema } from "../schema.ts";
import { duplicate, type FieldError, invalid, required } from "../status-error.ts";
import { environmentNameErrors, portNumberErrors } from "../validation/names.ts";
import { validateNonNegative } from "../validation/numbers.ts";

export interface Image extends KubeObject {
  spec: ImageSpec;
}

export interface ImageSpec {
  /**
   * The image names it stands for, as manifests write them. `*` stands for any run of characters; a name without a tag
   * stands for all of its tags: `myapp`, `myapp:*`, `registry.example/team/*:v2`.
   */
  names: string[];
  /** A program that kubemu brings along (`nginx`, `agnhost` …). Exactly one of `builtin` and `command` is given. */
  builtin?: string;
  /** The image's entry point: a program on the host and its first arguments. A container's `command` replaces it. */
  command?: string[];
  /** The image's arguments, added to `command`. A container's `args` replace them. */
  args?: string[];
  /** Directory on the host in which the program starts. Default: the container's own folder. */
  workingDir?: string;
  /** The image's environment; a container's `env` wins. */
  env?: { name: string; value?: string }[];
  /** Ports the image listens on where the manifest declares none (EXPOSE in a Dockerfile). */
  ports?: { name?: string; containerPort: number }[];
  /** The tags that exist; any other tag ends in ErrImagePull. Absent: every tag exists. */
  tags?: string[];
  pull?: {
    /** How long a pull takes. */
    delayMs?: number;
    /** Every pull fails with this message. */
    error?: string;
  };
}

export const images: Resource<Image> = {
  group: "kubemu.dev",
  version: "v1alpha1",
  kind: "Image",
  plural: "images",
  namespaced: false,
};

const IMAGE = "dev.kubemu.v1alpha1.Image";
const SPEC = "dev.kubemu.v1alpha1.ImageSpec";
const ENV = "dev.kubemu.v1alpha1.ImageEnvVar";
const PORT = "dev.kubemu.v1alpha1.ImagePort";
const PULL = "dev.kubemu.v1alpha1.ImagePull";
const strings: FieldSchema = { type: "array", items: { type: "string" }, listType: "atomic" };

const types: Readonly<Record<string, TypeSchema>> = {
  "dev.kubemu.v1alpha1.Image": {
    gvk: [["kubemu.dev", "v1alpha1", "Image"]],
    fields: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { ref: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" },
      spec: { ref: SPEC, required: true },
    },
  },
  "dev.kubemu.v1alpha1.ImageSpec": {
    fields: {
      names: { type: "array", items: { type: "string" }, listType: "atomic", required: true },
      builtin: { type: "string" },
      command: strings,
      args: strings,
      workingDir: { type: "string" },
      env: {
        type: "array",
        items: { ref: ENV },
        listType: "map",
        listMapKeys: ["name"],
        patchStrategy: "merge",
        patchMergeKey: "name",
      },
      ports: {
        type: "array",
        items: { ref: PORT },
        listType: "map",
        listMapKeys: ["containerPort"],
        patchStrategy: "merge",
        patchMergeKey: "containerPort",
      },
      tags: { type: "array", items: { type: "string" }, listType: "set" },
      pull: { ref: PULL },
    },
  },
  "dev.kubemu.v1alpha1.ImageEnvVar": {
    fields: { name: { type: "string", required: true }, value: { type: "string" } },
  },
  "dev.kubemu.v1alpha1.ImagePort": {
    fields: { name: { type: "string" }, containerPort: { type: "integer", format: "int32", required: true } },
  },
  "dev.kubemu.v1alpha1.ImagePull": {
    fields: { delayMs: { type: "integer", format: "int32" }, error: { type: "string" } },
  },
};

const namesColumn: Column<Image> = {
  name: "Names",
  type: "string",
  priority: 0,
  description: "The image names that it stands for.",
  value: (image) => image.spec.names?.join(",") ?? "",
};

const programColumn: Column<Image> = {
  name: "Program",
  type: "string",
  priority: 0,
  description: "The program that its containers run.",
  value: ({ spec }) => spec.builtin ?? spec.command?.join(" ") ?? "<none>",
};

export const imageKind: KindDefinition<Image> = {
  resource: images,
  schema: IMAGE,
  types,
  singular: "image",
  nameRule: "dns-subdomain",
  hasGeneration: true,
  validate: validateImage,
  columns: [/* @__PURE__ */ nameColumn(), namesColumn, programColumn, /* @__PURE__ */ ageColumn()],
};

function validateImage({ spec }: Image): FieldError[] {
  const errors: FieldError[] = [];
  const { names = [], builtin, command, env = [], ports = [], tags = [], pull } = spec ?? {};
  if (names.length === 0) errors.push(required("spec.names", "must name at least one image"));
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    const at = `spec.names[${index}]`;
    if (!name || /\s/.test(name))
      errors.push(invalid(at, name, "must be an image's name, `*` standing for anything"));
    if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
  }
  if (builtin && command) errors.push(invalid("spec.command", command, "may not be given beside `builtin`"));
  if (!builtin && !command && !pull?.error) {
    errors.push(required("spec.command", "must specify `command` or `builtin`"));
  }
  if (command && !command[0]) errors.push(required("spec.command[0]", "must be a program on this machine"));
  for (const [index, { name }] of env.entries()) {
    for (const why of environmentNameErrors(name)) errors.push(invalid(`spec.env[${index}].name`, name, why));
  }
  for (const [index, { containerPort }] of ports.entries()) {
    for (const why of portNumberErrors(containerPort)) {
      errors.push(invalid(`spec.ports[${index}].containerPort`, containerPort, why));
    }
  }
  for (const [index, tag] of tags.entries()) {
    if (!/^[\w][\w.-]{0,127}$/.test(tag))
      errors.push(invalid(`spec.tags[${index}]`, tag, "must be an image's tag"));
  }
  return [...errors, ...validateNonNegative(pull?.delayMs, "spec.pull.delayMs")];
}
