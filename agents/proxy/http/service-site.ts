// What a Service port in HTTP mode serves: every request goes to the Service's endpoints.
import type { Clock } from "../../../src/base/clock.ts";
import type { Balancer } from "../balancer.ts";
import { proxyConnection } from "../tcp.ts";
import type { HttpSite } from "./connection.ts";
import { createUpstreamPool } from "./upstream.ts";

export function createServiceSite(balancer: Balancer, clock: Clock): HttpSite {
  const target = { balancer, pool: createUpstreamPool(() => clock.now()) };
  return {
    route: () => target,
    passThrough: (client) => proxyConnection(client, balancer),
    get idleMs() {
      return balancer.frontend.balancing.idleMs;
    },
  };
}
