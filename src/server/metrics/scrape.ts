// GET /metrics/resource of a node's agent: its counters, read out of Prometheus' text format.
import { type Agent, request } from "node:https";
import { type AgentIdentity, tlsOptions } from "../streams/join.ts";
import type { Location } from "../streams/locate.ts";

/** CPU in seconds since the process started, memory in bytes. */
export interface Counters {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

export interface ContainerCounters extends Counters {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly startedAt: number;
}

/** What a node's agent said at one moment. */
export interface Sample extends Counters {
  readonly atMs: number;
  readonly containers: readonly ContainerCounters[];
}

// metrics-server's --kubelet-request-timeout.
const TIMEOUT_MS = 10_000;

/** Rejects where the agent cannot be reached or says anything but 200. */
export function scrapeAgent(
  { host, port }: Pick<Location, "host" | "port">,
  { identity, agent }: { identity: AgentIdentity; agent: Agent },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const options = {
      host,
      port,
      path: "/metrics/resource",
      agent,
      signal,
      ...tlsOptions("agent", identity),
    };
    request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString("utf8"));
        else reject(new Error(`/metrics/resource: HTTP ${response.statusCode}`));
      });
    })
      .on("error", reject)
      .end();
  });
}

/** The text of /metrics/resource; what else is in it is left out. */
export function parseSample(text: string, atMs: number): Sample {
  const containers = new Map<string, Mutable<ContainerCounters>>();
  const node = { cpuSeconds: 0, memoryBytes: 0 };
  for (const line of text.split("\n")) {
    const found = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!found) continue;
    const [, name = "", labelText, valueText] = found;
    const value = Number(valueText);
    if (name === "node_cpu_usage_seconds_total") node.cpuSeconds = value;
    if (name === "node_memory_working_set_bytes") node.memoryBytes = value;
    if (labelText === undefined) continue;
    const at = containers.get(labelText) ?? containerOf(labelText);
    containers.set(labelText, at);
    if (name === "container_cpu_usage_seconds_total") at.cpuSeconds = value;
    if (name === "container_memory_working_set_bytes") at.memoryBytes = value;
    if (name === "container_start_time_seconds") at.startedAt = value * 1000;
  }
  return { atMs, ...node, containers: [...containers.values()] };
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

// Kubernetes' names have no characters that would be escaped.
function containerOf(labelText: string): Mutable<ContainerCounters> {
  const labels = Object.fromEntries(
    [...labelText.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  const { namespace = "", pod = "", container = "" } = labels as Record<string, string>;
  return { namespace, pod, container, cpuSeconds: 0, memoryBytes: 0, startedAt: 0 };
}
