// Where the measurements come from: the agents of the nodes that are not known to be down.

import { Agent } from "node:https";
import type { Node } from "../../api/generated/types.ts";
import { nodes } from "../../api/kinds/node.ts";
import { isNodeReady } from "../../api/node-status.ts";
import type { ServerContext } from "../context.ts";
import { storePrefix } from "../keys.ts";
import { AGENT_NAME, type AgentIdentity } from "../streams/join.ts";
import { agentAt } from "../streams/locate.ts";
import { createMetrics, type Metrics } from "./measure.ts";
import { parseSample, scrapeAgent } from "./scrape.ts";

export function createAgentMetrics(
  { store, clock, timing }: ServerContext,
  credentials: Omit<AgentIdentity, "servername">,
): Metrics & { stop(): void } {
  const identity = { ...credentials, servername: AGENT_NAME };
  // An autoscaler asks again after a resolution: until then a connection is worth keeping.
  const agent = new Agent({ keepAlive: true, timeout: 2 * timing.metricsResolutionMs });
  const { measure } = createMetrics({
    clock,
    resolutionMs: timing.metricsResolutionMs,
    nodes: () =>
      store
        .list(storePrefix(nodes))
        .map(({ object }) => object as Readonly<Node>)
        .filter(isNodeReady),
    async sample(node) {
      const text = await scrapeAgent(agentAt(node), { identity, agent });
      return parseSample(text, clock.now());
    },
  });
  return { measure, stop: () => agent.destroy() };
}
