import { isDeepStrictEqual } from "node:util";
import type { Secret } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { type FieldError, forbiddenField, invalid, required, tooLong } from "../status-error.ts";
import { configKeyErrors } from "../validation/names.ts";
import { validateImmutable } from "../validation/object-meta.ts";

export const secrets: Resource<Secret> = {
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  namespaced: true,
};

const LARGEST_BYTES = 1024 * 1024;

export const secretKind: KindDefinition<Secret> = {
  resource: secrets,
  schema: "io.k8s.api.core.v1.Secret",
  singular: "secret",
  nameRule: "dns-subdomain",
  defaults(secret) {
    secret.type ||= "Opaque";
    if (!secret.stringData) return;
    // stringData is write-only: it wins over data and is never stored.
    const data: Record<string, string> = {};
    for (const [key, value] of Object.entries(secret.stringData)) {
      data[key] = Buffer.from(value ?? "", "utf8").toString("base64");
    }
    secret.data = { ...secret.data, ...data };
    delete secret.stringData;
  },
  validate(secret) {
    const { data = {} } = secret;
    const errors: FieldError[] = [];
    let bytes = 0;
    for (const key of Object.keys(data)) {
      for (const why of configKeyErrors(key)) errors.push(invalid(`data[${key}]`, key, why));
      bytes += Buffer.byteLength(data[key] ?? "", "base64");
    }
    if (bytes > LARGEST_BYTES) errors.push(tooLong("data", LARGEST_BYTES));
    return [...errors, ...validateType(secret)];
  },
  validateUpdate(secret, old) {
    const errors = validateImmutable(secret.type, old.type, "type");
    if (!old.immutable) return errors;
    if (!secret.immutable) {
      errors.push(forbiddenField("immutable", "field is immutable when `immutable` is set"));
    }
    if (!isDeepStrictEqual(secret.data ?? {}, old.data ?? {})) {
      errors.push(forbiddenField("data", "field is immutable when `immutable` is set"));
    }
    return errors;
  },
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "Type",
      type: "string",
      priority: 0,
      description: "What the data is for.",
      value: (secret) => secret.type ?? "",
    },
    {
      name: "Data",
      type: "string",
      priority: 0,
      description: "How many keys it has.",
      value: (secret) => Object.keys(secret.data ?? {}).length,
    },
    /* @__PURE__ */ ageColumn(),
  ],
  fields: (secret) => ({ type: secret.type ?? "" }),
};

// The keys that each type must have.
const TYPE_KEYS: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
};
const keysOf = (type: string): readonly string[] =>
  Object.hasOwn(TYPE_KEYS, type) ? (TYPE_KEYS[type] ?? []) : [];
const ACCOUNT_NAME = "kubernetes.io/service-account.name";

function validateType({ type = "", data = {}, metadata }: Secret): FieldError[] {
  const errors = keysOf(type)
    .filter((key) => !Object.hasOwn(data, key))
    .map((key) => required(`data[${key}]`));
  if (type === "kubernetes.io/service-account-token" && !metadata.annotations?.[ACCOUNT_NAME]) {
    errors.push(required(`metadata.annotations[${ACCOUNT_NAME}]`));
  }
  if (type === "kubernetes.io/basic-auth" && !("username" in data) && !("password" in data)) {
    errors.push(required("data[username]"), required("data[password]"));
  }
  for (const key of keysOf(type)) {
    const value = data[key];
    if (value === undefined || !key.startsWith(".docker")) continue;
    // The value itself is secret and is not repeated.
    if (!isJson(Buffer.from(value, "base64").toString("utf8"))) {
      errors.push(invalid(`data[${key}]`, "<secret contents redacted>", "invalid character in JSON text"));
    }
  }
  return errors;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
