import { describe, expect, it } from "vitest";
import {
  ConfigError,
  expand,
  type Facts,
  manifestEnvironment,
  podField,
  type References,
  resourceField,
  serviceEnvironment,
} from "../../../../../agents/node/containers/environment.ts";
import type { Container, Pod, Service } from "../../../../../src/api/generated/types.ts";

const pod: Pod = {
  metadata: {
    name: "web",
    namespace: "shop",
    uid: "u",
    creationTimestamp: "",
    resourceVersion: "1",
    labels: { app: "web", "x/y": 'quo"te' },
  },
  spec: { containers: [{ name: "a", resources: { limits: { cpu: "250m", memory: "64Mi" } } }] },
};
const facts: Facts = {
  pod,
  podIP: "127.16.1.2",
  hostIP: "127.16.1.1",
  nodeName: "n1",
  allocatable: { cpu: "2", memory: "4Gi" },
};
const references: References = {
  configMap: async (_namespace, name) =>
    name === "cfg" ? { a: Buffer.from("1"), b: Buffer.from("two") } : undefined,
  secret: async (_namespace, name) => (name === "key" ? { token: Buffer.from("s3cret") } : undefined),
};
const environmentOf = (container: Partial<Container>) =>
  manifestEnvironment({ name: "a", ...container }, { facts, references, base: { HOSTNAME: "web" } });

describe("expand", () => {
  it("replaces what it knows, leaves what it does not, and unescapes", () => {
    expect(expand("$(A)-$(B)-$$(A)-$A-$(", { A: "1" })).toBe("1-$(B)-$(A)-$A-$(");
  });
});

describe("manifestEnvironment", () => {
  it("takes whole ConfigMaps with a prefix, and lets env refer to what came before", async () => {
    const env = await environmentOf({
      envFrom: [{ prefix: "P_", configMapRef: { name: "cfg" } }],
      env: [
        { name: "X", value: "$(P_a)/$(HOSTNAME)" },
        { name: "Y", value: "$(X)!" },
        { name: "S", valueFrom: { secretKeyRef: { name: "key", key: "token" } } },
      ],
    });
    expect(env).toEqual({ P_a: "1", P_b: "two", X: "1/web", Y: "1/web!", S: "s3cret" });
  });

  it.each([
    [{ configMapKeyRef: { name: "gone", key: "a" } }, 'configmap "gone" not found'],
    [{ configMapKeyRef: { name: "cfg", key: "z" } }, "couldn't find key z in ConfigMap shop/cfg"],
    [{ secretKeyRef: { name: "gone", key: "a" } }, 'secret "gone" not found'],
    [{ secretKeyRef: { name: "key", key: "z" } }, "couldn't find key z in Secret shop/key"],
  ])("refuses %j in Kubernetes' words", async (valueFrom, message) => {
    await expect(environmentOf({ env: [{ name: "X", valueFrom }] })).rejects.toThrow(
      new ConfigError(message),
    );
  });

  it("leaves out what is optional and missing", async () => {
    const valueFrom = { configMapKeyRef: { name: "gone", key: "a", optional: true } };
    expect(await environmentOf({ env: [{ name: "X", valueFrom }] })).toEqual({});
  });
});

describe("podField", () => {
  it.each([
    ["metadata.name", "web"],
    ["metadata.namespace", "shop"],
    ["status.podIP", "127.16.1.2"],
    ["spec.nodeName", "n1"],
    ["metadata.labels['app']", "web"],
    ["metadata.labels", 'app="web"\nx/y="quo\\"te"'],
  ])("%s is %j", (path, value) => expect(podField(path, facts)).toBe(value));
});

describe("resourceField", () => {
  it.each([
    ["limits.cpu", "1", "1"],
    ["limits.cpu", "1m", "250"],
    ["limits.memory", "1Mi", "64"],
    ["requests.cpu", "1m", "0"],
    ["limits.ephemeral-storage", "1", "0"],
  ])("%s by %s is %s", (resource, divisor, value) =>
    expect(resourceField({ resource, divisor }, pod.spec?.containers[0], facts)).toBe(value),
  );

  it("takes the node's allocatable for a limit that is not set", () => {
    expect(resourceField({ resource: "limits.memory", divisor: "1Gi" }, { name: "b" }, facts)).toBe("4");
  });
});

describe("serviceEnvironment", () => {
  const service = (namespace: string, name: string, clusterIP: string): Service => ({
    metadata: { name, namespace, uid: name, creationTimestamp: "", resourceVersion: "1" },
    spec: { clusterIP, ports: [{ name: "http", port: 80, protocol: "TCP" }] },
  });
  const services = [
    service("shop", "my-db", "127.16.192.5"),
    service("other", "far", "127.16.192.6"),
    service("shop", "headless", "None"),
    service("default", "kubernetes", "127.16.192.1"),
  ];

  it("names the namespace's services in both styles, and kubernetes", () => {
    const env = serviceEnvironment(services, pod);
    expect(env).toMatchObject({
      MY_DB_SERVICE_HOST: "127.16.192.5",
      MY_DB_SERVICE_PORT: "80",
      MY_DB_SERVICE_PORT_HTTP: "80",
      MY_DB_PORT: "tcp://127.16.192.5:80",
      MY_DB_PORT_80_TCP_ADDR: "127.16.192.5",
      KUBERNETES_SERVICE_HOST: "127.16.192.1",
    });
    expect(Object.keys(env).some((name) => name.startsWith("FAR") || name.startsWith("HEADLESS"))).toBe(
      false,
    );
  });

  it("names kubernetes only where service links are off", () => {
    const quiet: Pod = { ...pod, spec: { containers: [], enableServiceLinks: false } };
    expect(
      Object.keys(serviceEnvironment(services, quiet)).every((name) => name.startsWith("KUBERNETES")),
    ).toBe(true);
  });
});
