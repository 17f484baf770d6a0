import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { readCredentials } from "../../../../../src/client/credentials.ts";
import { AGENT_NAME } from "../../../../../src/server/streams/join.ts";
import { type NodeBench, startNodeBench } from "./node-bench.ts";

let bench: NodeBench;
beforeAll(async () => {
  bench = await startNodeBench();
});
afterAll(() => bench.stop());

const POD = "/api/v1/namespaces/default/pods/web";
const socketUrl = (path: string) => bench.url.replace("http", "ws") + path;
const commandPath = (command: readonly string[], streams = "stdout=true&stderr=true") =>
  `${POD}/exec?${command.map((word) => `command=${encodeURIComponent(word)}`).join("&")}&${streams}`;

interface Outcome {
  readonly text: string;
  readonly errors: string;
  readonly status: { status?: string; reason?: string; message?: string; details?: { causes: unknown } };
  readonly closeCode: number;
}

/** Runs a session to its end; `begin` may send. */
async function session(
  path: string,
  begin: (socket: WebSocket) => void = () => {},
  protocol = "v5.channel.k8s.io",
): Promise<Outcome> {
  const socket = new WebSocket(socketUrl(path), protocol);
  const channels = ["", "", "", ""];
  socket.on("message", (message: Buffer) => {
    channels[message[0] ?? 0] += message.toString("utf8", 1);
  });
  await once(socket, "open");
  begin(socket);
  const [closeCode] = await once(socket, "close");
  return {
    text: channels[1] ?? "",
    errors: channels[2] ?? "",
    status: JSON.parse(channels[3] || "{}"),
    closeCode,
  };
}

async function get(path: string): Promise<{ code: number; text: string }> {
  const response = await fetch(bench.url + path);
  return { code: response.status, text: await response.text() };
}

const isGone = (pid: number) => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

describe("exec over WebSocket", () => {
  test("keeps the outputs apart and tells the exit code", async () => {
    const outcome = await session(commandPath(["sh", "-c", "echo out; echo err >&2; exit 3"]));
    expect(outcome).toMatchObject({ text: "out\n", errors: "err\n", closeCode: 1000 });
    expect(outcome.status).toMatchObject({
      status: "Failure",
      reason: "NonZeroExitCode",
      details: { causes: [{ reason: "ExitCode", message: "3" }] },
    });
  });

  test("passes input until the client closes it", async () => {
    const outcome = await session(commandPath(["cat"], "stdin=true&stdout=true"), (socket) => {
      socket.send(Buffer.from([0, ...Buffer.from("hello ")]));
      socket.send(Buffer.from([0, ...Buffer.from("there")]));
      socket.send(Buffer.from([255, 0]));
    });
    expect(outcome).toMatchObject({ text: "hello there", status: { status: "Success" } });
  });

  test("passes a large output whole", async () => {
    const outcome = await session(commandPath(["head", "-c", "5000000", "/dev/zero"]));
    expect(outcome.text.length).toBe(5_000_000);
    expect(outcome.status.status).toBe("Success");
  });

  test("says why a command cannot be started", async () => {
    const { status } = await session(commandPath(["no-such-program"]));
    expect(status.message).toContain('exec: "no-such-program": executable file not found in $PATH');
    expect(status.reason).toBe("InternalError");
  });

  test("kills the command when the client goes away", async () => {
    const before = bench.commands.length;
    const socket = new WebSocket(socketUrl(commandPath(["sleep", "1000"])), "v4.channel.k8s.io");
    await once(socket, "open");
    await expect.poll(() => bench.commands.length).toBe(before + 1);
    const pid = bench.commands.at(-1) as number;
    socket.terminate();
    await expect.poll(() => isGone(pid)).toBe(true);
  });

  test.each([
    ["KILL", 137],
    ["USR1", 138],
  ])("tells a death by SIG%s as 128 and its number", async (signal, code) => {
    const { status } = await session(commandPath(["sh", "-c", `kill -${signal} $$`]));
    expect(status.details).toEqual({ causes: [{ reason: "ExitCode", message: String(code) }] });
  });
});

describe("what Kubernetes refuses", () => {
  const refusal = (path: string) =>
    new Promise<{ code: number; text: string }>((resolve) => {
      const socket = new WebSocket(socketUrl(path), "v5.channel.k8s.io");
      socket.on("error", () => {});
      socket.on("unexpected-response", async (_request, response) => {
        let text = "";
        for await (const chunk of response) text += chunk;
        resolve({ code: response.statusCode ?? 0, text });
      });
    });

  test("a container that is not the pod's", async () => {
    const { code, text } = await refusal(`${commandPath(["ls"])}&container=nope`);
    expect(code).toBe(400);
    expect(JSON.parse(text)).toMatchObject({
      kind: "Status",
      reason: "BadRequest",
      message: "container nope is not valid for pod web",
    });
  });

  test("a pod that is not there", async () => {
    const { code, text } = await refusal("/api/v1/namespaces/default/pods/gone/exec?command=ls&stdout=1");
    expect([code, JSON.parse(text).message]).toEqual([404, 'pods "gone" not found']);
  });

  test("a pod without a node, and a node that does not answer", async () => {
    const { nodeName } = bench.pod.spec;
    delete bench.pod.spec.nodeName;
    expect(JSON.parse((await refusal(commandPath(["ls"]))).text).message).toBe(
      "pod web does not have a host assigned",
    );
    bench.pod.spec.nodeName = nodeName as string;
    const endpoint = bench.node.status?.daemonEndpoints?.kubeletEndpoint as { Port: number };
    endpoint.Port = 1;
    const refused = "dial tcp 127.0.0.1:1: connect: connection refused";
    expect(JSON.parse((await refusal(commandPath(["ls"]))).text)).toMatchObject({
      code: 500,
      message: `error dialing backend: ${refused}`,
    });
    expect(JSON.parse((await get(`${POD}/log`)).text).message).toBe(
      `Get "https://127.0.0.1:1/containerLogs/default/web/main": ${refused}`,
    );
    endpoint.Port = bench.agentPort;
  });

  test("anyone without the API server's certificate at the node", async () => {
    const socket = tls.connect({ host: "127.0.0.1", port: bench.agentPort, rejectUnauthorized: false });
    socket.on("error", () => {});
    socket.on("secureConnect", () => socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
    let heard = "";
    socket.on("data", (chunk) => {
      heard += chunk;
    });
    await new Promise((resolve) => socket.once("close", resolve));
    expect(heard).toBe("");
  });
});

describe("attach", () => {
  test("passes what the container writes from now on, until it ends", async () => {
    let emit: (stream: "stdout" | "stderr", chunk: Buffer) => void = () => {};
    let exit: () => void = () => {};
    const stdin = new PassThrough();
    bench.attached = {
      stdin,
      onOutput(listener) {
        emit = listener;
        return () => {};
      },
      ended: new Promise((resolve) => {
        exit = resolve;
      }),
    };
    const done = session(`${POD}/attach?stdin=1&stdout=1&stderr=1`, (socket) =>
      socket.send(Buffer.from("\0typed")),
    );
    expect(String((await once(stdin, "data"))[0])).toBe("typed");
    emit("stdout", Buffer.from("said"));
    exit();
    expect(await done).toMatchObject({ text: "said", status: { status: "Success" }, closeCode: 1000 });
    expect(stdin.writableEnded).toBe(false);
  });
});

describe("port-forward over two channels a port", () => {
  test("joins the client to the pod's port, and tells a refused one", async () => {
    const echo = net.createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
    bench.ports.set(7, (echo.address() as AddressInfo).port);
    bench.ports.set(8, 1);
    const socket = new WebSocket(socketUrl(`${POD}/portforward?ports=7&ports=8`), "v4.channel.k8s.io");
    const channels = ["", "", "", ""];
    socket.on("message", (message: Buffer) => {
      channels[message[0] ?? 0] += message.toString("latin1", 1);
    });
    await once(socket, "open");
    socket.send(Buffer.from("\0ping"));
    await expect.poll(() => channels[0]).toBe("\x07\0ping");
    await expect.poll(() => channels[3]).toContain("error forwarding port 8 to pod web_default, uid uid-1: ");
    expect(channels[3]).toContain("connection refused");
    socket.close();
    echo.close();
  });
});

test("each message leaves in a TLS record of its own, for clients that poll the socket and read one message", async () => {
  const credentials = readCredentials(bench.dataDir, "kubelet-client");
  const socket = tls.connect({
    host: "127.0.0.1",
    port: bench.agentPort,
    servername: AGENT_NAME,
    ...credentials,
  });
  const records: Buffer[] = [];
  // A record is read at a time.
  socket.on("data", (record: Buffer) => records.push(record));
  const lines = [
    "GET /portForward/default/web?ports=7&ports=8 HTTP/1.1",
    "Host: node",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: c2l4dGVlbiBieXRlcyEhIQ==",
    "Sec-WebSocket-Protocol: v4.channel.k8s.io",
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  await expect.poll(() => records.length).toBeGreaterThan(4);
  socket.destroy();
  const [head, ...messages] = records;
  expect(head?.toString()).toMatch(/^HTTP\/1.1 101 .*\r\n\r\n$/s);
  const [opcode, length] = ["\x82", "\x03"];
  expect(messages.slice(0, 4).map((message) => message.toString("latin1"))).toEqual(
    ["\0\x07\0", "\x01\x07\0", "\x02\x08\0", "\x03\x08\0"].map((text) => opcode + length + text),
  );
});

describe("logs", () => {
  const LOG = `${POD}/log`;
  test("are cut, filtered and stamped as asked", async () => {
    bench.writeLog("2026-01-02T03:04:05.100000000Z stdout F one\n");
    bench.writeLog("2026-01-02T03:04:06.200000000Z stderr F two\n");
    bench.writeLog(
      "2026-01-02T03:04:07.300000000Z stdout P thr\n2026-01-02T03:04:07.300000000Z stdout F ee\n",
    );
    expect(await get(LOG)).toEqual({ code: 200, text: "one\ntwo\nthree\n" });
    expect((await get(`${LOG}?tailLines=2`)).text).toBe("three\n");
    expect((await get(`${LOG}?tailLines=0`)).text).toBe("");
    expect((await get(`${LOG}?limitBytes=5`)).text).toBe("one\nt");
    expect((await get(`${LOG}?stream=Stderr`)).text).toBe("two\n");
    expect((await get(`${LOG}?sinceTime=2026-01-02T03:04:06Z`)).text).toBe("two\nthree\n");
    expect((await get(`${LOG}?sinceSeconds=1`)).text).toBe("");
    expect((await get(`${LOG}?timestamps=true&tailLines=3`)).text).toMatch(
      /^2026-01-02T03:04:06\.200000000Z two\n/,
    );
  });

  test("are refused in Kubernetes' words", async () => {
    expect(JSON.parse((await get(`${LOG}?tailLines=-1`)).text)).toMatchObject({
      code: 422,
      message:
        'PodLogOptions "web" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
    });
    expect(JSON.parse((await get(`${LOG}?previous=true`)).text)).toMatchObject({
      code: 400,
      reason: "BadRequest",
      message: 'previous terminated container "main" in pod "web" not found',
    });
    const status = bench.pod.status?.containerStatuses?.[0];
    if (!status) throw new Error("no status");
    const { state } = status;
    status.state = { waiting: { reason: "ContainerCreating" } };
    expect(JSON.parse((await get(LOG)).text).message).toBe(
      'container "main" in pod "web" is waiting to start: ContainerCreating',
    );
    status.state = state as object;
  });

  test("followed, come as they are written and end with the container", async () => {
    const response = await new Promise<http.IncomingMessage>((resolve) =>
      http.get(`${bench.url}${LOG}?follow=true&tailLines=1`, resolve),
    );
    let text = "";
    response.on("data", (chunk) => {
      text += chunk;
    });
    await expect.poll(() => text).toBe("ee\n");
    bench.writeLog("2026-01-02T03:04:08.000000000Z stdout F fo");
    bench.writeLog("ur\n");
    await expect.poll(() => text).toBe("ee\nfour\n");
    bench.writeLog("2026-01-02T03:04:09.000000000Z stdout F last\n");
    bench.endLog();
    await once(response, "end");
    expect(text).toBe("ee\nfour\nlast\n");
  });
});

describe("the proxy subresources", () => {
  test("pass a request on to the pod's port and its answer back", async () => {
    const web = http.createServer((request, response) => {
      response.setHeader("location", "/elsewhere");
      response.writeHead(201);
      response.write(`${request.method} ${request.url} ${request.headers.authorization} `);
      request.pipe(response);
    });
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const { port } = web.address() as AddressInfo;
    const headers = { authorization: "Bearer secret" };
    const response = await fetch(`${bench.url}${POD}:${port}/proxy/a?b=c`, {
      method: "POST",
      body: "body",
      headers,
    });
    expect(response.status).toBe(201);
    expect(response.headers.get("location")).toBe(`${POD}:${port}/proxy/elsewhere`);
    expect(await response.text()).toBe("POST /a?b=c undefined body");
    await new Promise((resolve) => web.close(resolve));
    expect(JSON.parse((await get(`${POD}:${port}/proxy/`)).text)).toMatchObject({
      code: 503,
      message: `error trying to reach service: dial tcp 127.0.0.1:${port}: connect: connection refused`,
    });
  });

  test("reach the node's agent, with the API server's certificate", async () => {
    expect((await get("/api/v1/nodes/node-1/proxy/healthz")).text).toBe("ok");
    expect((await get("/api/v1/nodes/node-1/proxy/metrics/resource")).text).toContain(
      "node_cpu_usage_seconds_total 1.5",
    );
  });
});
