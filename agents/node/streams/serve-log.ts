// GET /containerLogs: which run's log is meant, and the kubelet's words where there is none (kubelet_pods.go,
// validateContainerLogStatus).
import type { ServerResponse } from "node:http";
import type { ContainerStatus, Pod } from "../../../src/api/generated/types.ts";
import { hasRoom } from "./has-room.ts";
import type { ContainerLog, NodeHost } from "./host.ts";
import { type LogOptions, readLog } from "./log-reader.ts";

export interface LogRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly query: URLSearchParams;
}

/** Rejects with an Error that carries an HTTP `code` where nothing was sent yet. */
export async function serveLog(host: NodeHost, request: LogRequest, response: ServerResponse): Promise<void> {
  const { namespace, pod: name, container, query } = request;
  const pod = host.pod(namespace, name);
  if (!pod) throw refusal(404, `pod ${JSON.stringify(name)} not found`);
  if (!hasContainer(pod, container))
    throw refusal(404, `container ${JSON.stringify(container)} not found in pod ${JSON.stringify(name)}`);
  const { log, isLast } = findLog(host, pod, { container, previous: isTrue(query.get("previous")) });
  const options = parseOptions(query, Date.now());
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  response.writeHead(200, { "content-type": "text/plain" });
  response.flushHeaders();
  const follow = options.follow && !isLast;
  await readLog(
    log,
    { ...options, follow },
    { write: (bytes) => write(response, bytes), signal: gone.signal },
  );
  response.end();
}

async function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  if (!response.destroyed && !response.write(bytes)) await hasRoom(response);
}

const refusal = (code: number, message: string) => Object.assign(new Error(message), { code });
const isTrue = (value: string | null) => value === "true" || value === "1";

function hasContainer({ spec }: Readonly<Pod>, container: string): boolean {
  const all = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])];
  return all.some(({ name }) => name === container);
}

type Run = "newest" | "earlier";

function findLog(
  host: NodeHost,
  pod: Readonly<Pod>,
  { container, previous }: { container: string; previous: boolean },
): { log: ContainerLog; isLast: boolean } {
  const named = `container ${JSON.stringify(container)} in pod ${JSON.stringify(pod.metadata.name)}`;
  const status = statusOf(pod, container);
  const run = previous ? previousRun(status, named) : currentRun(status, named);
  const log = host.log(pod, container, run === "earlier");
  if (!log)
    throw refusal(400, previous ? `previous terminated ${named} not found` : `${named} is not available`);
  return { log, isLast: previous };
}

function statusOf({ status }: Readonly<Pod>, container: string): ContainerStatus | undefined {
  const all = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  return all.find(({ name }) => name === container);
}

/** Pure: `newest` is the newest run that has begun, `earlier` the one before it. */
export function previousRun(status: ContainerStatus | undefined, named: string): Run {
  if (!status?.lastState?.terminated?.containerID)
    throw refusal(400, `previous terminated ${named} not found`);
  const { running, terminated } = status.state ?? {};
  // While it waits to be started again, the last run is the newest.
  return running || terminated?.containerID ? "earlier" : "newest";
}

const IMAGE_FAILURES: Readonly<Record<string, string>> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: "trying and failing to pull image",
};

/** Pure: the run a client sees. Throws where none has begun. */
export function currentRun(status: ContainerStatus | undefined, named: string): Run {
  if (!status) throw refusal(400, `${named} is not available`);
  const { waiting, running, terminated } = status.state ?? {};
  const last = status.lastState?.terminated;
  if (running || terminated?.containerID || last?.containerID) return "newest";
  if (terminated) throw refusal(400, `${named} is terminated`);
  if (!waiting) throw refusal(400, `${named} is waiting to start - no logs yet`);
  throw refusal(
    400,
    `${named} is waiting to start: ${IMAGE_FAILURES[waiting.reason ?? ""] ?? waiting.reason}`,
  );
}

function parseOptions(query: URLSearchParams, nowMs: number): LogOptions {
  const number = (name: string) => {
    const text = query.get(name);
    return text === null || !/^\d+$/.test(text) ? undefined : Number(text);
  };
  const sinceSeconds = number("sinceSeconds");
  const sinceTime = query.get("sinceTime");
  const stream = query.get("stream")?.toLowerCase();
  return {
    follow: isTrue(query.get("follow")),
    timestamps: isTrue(query.get("timestamps")),
    since:
      sinceSeconds !== undefined
        ? nowMs - sinceSeconds * 1000
        : sinceTime
          ? Date.parse(sinceTime)
          : undefined,
    tailLines: number("tailLines"),
    limitBytes: number("limitBytes"),
    stream: stream === "stdout" || stream === "stderr" ? stream : undefined,
  };
}
