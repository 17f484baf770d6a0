// Small objects for the tests of kinds, and how the server treats them before they are stored.
import type { Deployment, Pod, Service } from "../../../../src/api/generated/types.ts";
import type { KindDefinition } from "../../../../src/api/kind.ts";
import { deploymentKind } from "../../../../src/api/kinds/deployment.ts";
import { podKind } from "../../../../src/api/kinds/pod.ts";
import { serviceKind } from "../../../../src/api/kinds/service.ts";
import type { Draft, KubeObject } from "../../../../src/api/object.ts";

const metadata = (name: string) => ({
  name,
  namespace: "default",
  uid: "u",
  resourceVersion: "1",
  creationTimestamp: "2026-01-02T03:04:05Z",
});

/** `draft` with metadata and defaults, as it would be stored. */
export function stored<T extends KubeObject>(kind: KindDefinition<T>, name: string, draft: Draft<T>): T {
  const object = { metadata: metadata(name), ...structuredClone(draft) } as unknown as T;
  kind.defaults?.(object as Draft<T>);
  return object;
}

export const pod = (spec: Draft<Pod["spec"]> = {}): Pod =>
  stored(podKind, "web", { spec: { containers: [{ name: "web", image: "nginx" }], ...spec } });

export const deployment = (spec: Draft<Deployment["spec"]> = {}): Deployment =>
  stored(deploymentKind, "web", {
    spec: {
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "web", image: "nginx" }] },
      },
      ...spec,
    },
  });

export const service = (spec: Draft<Service["spec"]> = {}): Service =>
  stored(serviceKind, "web", { spec: { ports: [{ port: 80 }], ...spec } });

/** What validation says, each as `field: message`. */
export function told<T extends KubeObject>(kind: KindDefinition<T>, object: T, old?: T): string[] {
  const context = { subresource: "" };
  const errors = old ? kind.validateUpdate?.(object, old, context) : kind.validate?.(object, context);
  return (errors ?? []).map(({ field, message }) => `${field}: ${message}`);
}

/** The cells of a row by column name. */
export function cells<T extends KubeObject>(kind: KindDefinition<T>, object: T, nowMs = 0) {
  return Object.fromEntries(kind.columns.map((column) => [column.name, column.value(object, nowMs)]));
}
