import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Container, Pod } from "../../../../../src/api/generated/types.ts";
import { qualityOf } from "../../../../../src/api/kinds/pod/quality.ts";
import { podKind } from "../../../../../src/api/kinds/pod.ts";
import type { Draft } from "../../../../../src/api/object.ts";
import { deployment, pod } from "../examples.ts";

describe("pod defaults", () => {
  it("are Kubernetes' own", () => {
    expect(pod().spec).toEqual({
      containers: [
        {
          name: "web",
          image: "nginx",
          imagePullPolicy: "Always",
          terminationMessagePath: "/dev/termination-log",
          terminationMessagePolicy: "File",
          resources: {},
        },
      ],
      dnsPolicy: "ClusterFirst",
      enableServiceLinks: true,
      restartPolicy: "Always",
      schedulerName: "default-scheduler",
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    });
  });

  it.each([
    ["nginx", "Always"],
    ["nginx:latest", "Always"],
    ["localhost:5000/nginx", "Always"],
    ["nginx:1.29", "IfNotPresent"],
    ["localhost:5000/nginx:1.29", "IfNotPresent"],
    ["nginx@sha256:abc", "IfNotPresent"],
  ])("pull %s: %s", (image, policy) => {
    expect(pod({ containers: [{ name: "a", image }] }).spec.containers[0]?.imagePullPolicy).toBe(policy);
  });

  it("fill in probes, ports, env, limits and host ports", () => {
    const { spec } = pod({
      hostNetwork: true,
      containers: [
        {
          name: "a",
          image: "a:1",
          ports: [{ containerPort: 80 }],
          env: [{ name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
          resources: { limits: { cpu: "0.5", memory: "1024Mi" }, requests: { memory: "64Mi" } },
          livenessProbe: { httpGet: { port: 80 } },
        },
      ],
    });
    expect(spec.containers[0]).toMatchObject({
      ports: [{ containerPort: 80, hostPort: 80, protocol: "TCP" }],
      env: [{ valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "status.podIP" } } }],
      resources: { limits: { cpu: "500m", memory: "1Gi" }, requests: { cpu: "500m", memory: "64Mi" } },
      livenessProbe: {
        httpGet: { path: "/", port: 80, scheme: "HTTP" },
        timeoutSeconds: 1,
        periodSeconds: 10,
        successThreshold: 1,
        failureThreshold: 3,
      },
    });
  });

  it("fill in volumes", () => {
    const { spec } = pod({
      volumes: [
        { name: "empty" },
        { name: "config", configMap: { name: "c" } },
        { name: "secret", secret: { secretName: "s", defaultMode: 256 } },
        { name: "host", hostPath: { path: "/tmp" } },
        { name: "all", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } },
      ],
    });
    expect(spec.volumes).toEqual([
      { name: "empty", emptyDir: {} },
      { name: "config", configMap: { name: "c", defaultMode: 420 } },
      { name: "secret", secret: { secretName: "s", defaultMode: 256 } },
      { name: "host", hostPath: { path: "/tmp", type: "" } },
      {
        name: "all",
        projected: {
          defaultMode: 420,
          sources: [{ serviceAccountToken: { path: "token", expirationSeconds: 3600 } }],
        },
      },
    ]);
  });

  it("leave to pods what templates do not get", () => {
    const { spec } = deployment().spec.template;
    expect(spec?.enableServiceLinks).toBeUndefined();
    expect(spec?.restartPolicy).toBe("Always");
  });

  it("change nothing the second time", () => {
    const container = fc.record<Draft<Container>>(
      {
        name: fc.constant("a"),
        image: fc.constantFrom("a", "a:1", "a:latest"),
        ports: fc.array(fc.record({ containerPort: fc.constantFrom(80, 443) })),
        resources: fc.constantFrom({}, { limits: { cpu: "1.5" } }, { requests: { memory: "2048Ki" } }),
        readinessProbe: fc.constantFrom({}, { httpGet: { port: 1 } }, { grpc: { port: 1 } }),
      },
      { requiredKeys: ["name"] },
    );
    const spec = fc.record<Draft<Pod["spec"]>>(
      {
        containers: fc.array(container),
        hostNetwork: fc.boolean(),
        serviceAccount: fc.constantFrom("", "robot"),
        volumes: fc.array(
          fc.constantFrom({ name: "v" }, { name: "v", secret: {} }, { name: "v", projected: {} }),
        ),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(spec, (given) => {
        const once: Draft<Pod> = { spec: structuredClone(given) };
        podKind.defaults?.(once);
        const twice = structuredClone(once);
        podKind.defaults?.(twice);
        expect(twice).toEqual(once);
      }),
    );
  });
});

describe("qualityOf", () => {
  const withResources = (resources: Container["resources"]) =>
    qualityOf(pod({ containers: [{ name: "a", image: "a", resources }] as Container[] }).spec);

  it.each([
    ["BestEffort", undefined],
    ["BestEffort", { limits: { "example.com/gpu": "1" } }],
    ["Burstable", { requests: { cpu: "1" } }],
    ["Burstable", { limits: { cpu: "1" } }],
    ["Burstable", { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m" } }],
    ["Guaranteed", { limits: { cpu: "1", memory: "1Gi" } }],
    ["Guaranteed", { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "1000m", memory: "1024Mi" } }],
  ])("%s", (expected, resources) => {
    expect(withResources(resources)).toBe(expected);
  });
});
