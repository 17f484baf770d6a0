import { afterEach, beforeEach, expect, it } from "vitest";
import type { Ingress, Service } from "../../../../src/api/generated/types.ts";
import { ingresses } from "../../../../src/api/kinds/ingress.ts";
import { ingressClasses } from "../../../../src/api/kinds/ingress-class.ts";
import { services } from "../../../../src/api/kinds/service.ts";
import { startIngressController } from "../../../../src/controllers/ingress/controller.ts";
import type { RunningController } from "../../../../src/controllers/runtime/context.ts";
import { createTestContext, settle, type TestContext, until } from "../context.ts";

let context: TestContext;
let controller: RunningController;
beforeEach(async () => {
  context = createTestContext();
  controller = startIngressController(context);
  await context.client.create(ingressClasses, {
    metadata: { name: "kubemu" },
    spec: { controller: "kubemu.dev/ingress" },
  });
});
afterEach(() => controller.stop());

const create = (name: string, ingressClassName?: string) =>
  context.client.create(ingresses, {
    metadata: { name, namespace: "default" },
    spec: {
      ...(ingressClassName ? { ingressClassName } : {}),
      defaultBackend: { service: { name: "web", port: { number: 80 } } },
    },
  });
const addressOf = (name: string) =>
  context.api.get<Ingress>("ingresses", `default/${name}`)?.status?.loadBalancer?.ingress;
const service = () => context.api.get<Service>("services", "kube-system/kubemu-ingress");

it("makes the Service with the first Ingress of its own, and writes its address, ports included", async () => {
  await create("other", "nginx");
  await create("none");
  await settle();
  expect(service()).toBeUndefined();

  await create("mine", "kubemu");
  await until(() => service() !== undefined);
  expect(service()?.spec.ports?.map(({ name, port }) => [name, port])).toEqual([
    ["http", 80],
    ["https", 443],
  ]);
  const address = { ip: "127.20.224.1", ports: [{ port: 40080, protocol: "TCP" }] };
  const write = (ingress: object[]) =>
    context.client.patch(
      services,
      { namespace: "kube-system", name: "kubemu-ingress" },
      "merge",
      { status: { loadBalancer: { ingress } } },
      { subresource: "status" },
    );
  await write([address]);
  await until(() => addressOf("mine") !== undefined);
  expect(addressOf("mine")).toEqual([address]);
  await write([{ ip: "127.20.224.2" }]);
  await until(() => addressOf("mine")?.[0]?.ip === "127.20.224.2");
  expect(addressOf("mine")).toEqual([{ ip: "127.20.224.2" }]);
  expect([addressOf("other"), addressOf("none")]).toEqual([undefined, undefined]);
});

it("serves an Ingress of another's class once there is a class of that name that is its own", async () => {
  const define = (name: string, controller: string) =>
    context.client.create(ingressClasses, { metadata: { name }, spec: { controller } });
  await define("traefik", "traefik.io/ingress-controller");
  await create("foreign", "traefik");
  await create("tutorial", "nginx");
  await settle();
  expect(service()).toBeUndefined();
  await define("nginx", "kubemu.dev/ingress");
  await until(() => service() !== undefined);
});
