// A node server with real TLS and a host that runs real processes, and the API server's relay in front of it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttachedContainer, ContainerLog, NodeHost } from "../../../../../agents/node/streams/host.ts";
import { startNodeServer } from "../../../../../agents/node/streams/server.ts";
import type { Node, Pod } from "../../../../../src/api/generated/types.ts";
import { StatusError } from "../../../../../src/api/status-error.ts";
import { silentLog } from "../../../../../src/base/log.ts";
import { readCredentials } from "../../../../../src/client/credentials.ts";
import { ensurePki } from "../../../../../src/pki/files.ts";
import { createStreamRelay, type StreamTarget } from "../../../../../src/server/streams/relay.ts";

export interface NodeBench {
  /** The relay behind plain HTTP, with Kubernetes' paths for pod `web` in namespace `default`. */
  readonly url: string;
  readonly dataDir: string;
  readonly agentPort: number;
  readonly pod: Pod;
  readonly node: Node;
  /** Pids of the commands started by exec. */
  readonly commands: number[];
  /** Appended to with each call; read by logs. */
  writeLog(text: string): void;
  endLog(): void;
  attached: AttachedContainer | undefined;
  /** Where port-forward goes for each of the pod's ports. */
  readonly ports: Map<number, number>;
  stop(): Promise<void>;
}

export async function startNodeBench(): Promise<NodeBench> {
  const dataDir = mkdtempSync(join(tmpdir(), "kubemu-streams-"));
  await ensurePki({ dataDir, slot: 77, nodes: [], nowMs: Date.now() } as Parameters<typeof ensurePki>[0]);
  const logPath = join(dataDir, "web.log");
  writeFileSync(logPath, "");
  let endLog: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    endLog = resolve;
  });
  const log: ContainerLog = { path: logPath, ended };
  const pod = runningPod();
  const commands: number[] = [];
  const ports = new Map<number, number>();
  const host: NodeHost = {
    pod: (namespace, name) => (namespace === "default" && name === "web" ? pod : undefined),
    log: (_pod, _container, previous) => (previous ? undefined : log),
    exec: async (_pod, _container, { argv, stdin }) => {
      const [program = "", ...args] = argv;
      const child = spawn(program, args, {
        stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"],
        detached: true,
      });
      await once(child, "spawn");
      commands.push(child.pid as number);
      const exited = once(child, "close").then(([code, signal]) => ({ code, signal }));
      const { stdout, stderr } = child;
      if (!stdout || !stderr) throw new Error("no pipes");
      const kill = () => {
        try {
          process.kill(-(child.pid as number), "SIGKILL");
        } catch {}
      };
      return { stdin: child.stdin ?? undefined, stdout, stderr, exited, kill };
    },
    attach: () => bench.attached,
    portAddress: (_pod, port) => ({ host: "127.0.0.1", port: ports.get(port) ?? port }),
    usage: async () => ({ cpuSeconds: 1.5, memoryBytes: 1024, containers: [] }),
  };
  const settings = { dataDir, slot: 77, index: 1, singleAddress: true };
  const agent = await startNodeServer({ settings, host, log: silentLog });
  const node = {
    metadata: { name: "node-1" },
    spec: {},
    status: {
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      daemonEndpoints: { kubeletEndpoint: { Port: agent.port } },
    },
  } as Node;
  const relay = createStreamRelay({
    reader: {
      find: async (resource, { name }) =>
        (resource.plural === "pods" && name === "web"
          ? pod
          : resource.plural === "nodes" && name === "node-1"
            ? node
            : undefined) as never,
      list: async () => [],
    },
    credentials: readCredentials(dataDir, "kubelet-client"),
    log: silentLog,
  });
  const server = http.createServer((request, response) => {
    const target = targetOf(request.url ?? "");
    if (!target) {
      response.writeHead(404).end();
      return;
    }
    relay.forward(request, response, target).catch((error) => {
      const status = error instanceof StatusError ? error.status : { code: 500, message: String(error) };
      response.writeHead(status.code, { "content-type": "application/json" });
      response.end(JSON.stringify(status));
    });
  });
  server.on("upgrade", (request, socket, head) => {
    const target = targetOf(request.url ?? "");
    if (target) void relay.upgrade(request, socket, head, target);
    else socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bench: NodeBench = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    dataDir,
    agentPort: agent.port,
    pod,
    node,
    commands,
    writeLog: (text) => writeFileSync(logPath, text, { flag: "a" }),
    endLog: () => endLog(),
    attached: undefined,
    ports,
    async stop() {
      relay.stop();
      await agent.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return bench;
}

function targetOf(url: string): StreamTarget | undefined {
  const [path = "", query = ""] = url.split("?", 2);
  const found = /^\/api\/v1(?:\/namespaces\/([^/]+))?\/(pods|services|nodes)\/([^/]+)\/([a-z]+)(.*)$/.exec(
    path,
  );
  if (!found) return undefined;
  const [, namespace, plural, name = "", subresource, rest = ""] = found;
  return { namespace, plural, name, subresource, path: rest, query } as StreamTarget;
}

function runningPod(): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "default", uid: "uid-1", resourceVersion: "1" },
    spec: { containers: [{ name: "main", image: "busybox" }], nodeName: "node-1" },
    status: {
      phase: "Running",
      podIP: "127.0.0.1",
      containerStatuses: [
        {
          name: "main",
          state: { running: {} },
          containerID: "process://1",
          ready: true,
          restartCount: 0,
          image: "",
          imageID: "",
        },
      ],
    },
  } as unknown as Pod;
}
