// One probe, once. Results and words are those of the kubelet's probers (pkg/probe). Every check ends within its
// timeout and leaves no connection behind.
import http from "node:http";
import net from "node:net";
import type { ContainerPort, HTTPGetAction, Probe } from "../../../src/api/generated/types.ts";
import { goDuration } from "../pod/go-duration.ts";

export interface CheckResult {
  readonly ok: boolean;
  /** What the event says of a failure. */
  readonly output: string;
  /** It could not be made (a port of no such name, a command that is not there): says nothing of the container. */
  readonly errored?: true;
}

/** What a probe or hook is aimed at. */
export interface Target {
  readonly podIP: string;
  readonly ports: readonly ContainerPort[];
  readonly portMap: Readonly<Record<string, number>>;
  /** Runs a command in the container; rejects where it cannot be started. Killed at the timeout. */
  exec(argv: readonly string[], timeoutMs: number): Promise<ExecResult>;
}

export interface ExecResult {
  /** Undefined: it was killed at the timeout. */
  readonly code: number | undefined;
  readonly output: string;
}

// The kubelet reads no more of a reply than this.
const MAX_BODY = 10 * 1024;
const MAX_REDIRECTS = 10;

/** Never rejects. */
export async function check(probe: Probe, target: Target): Promise<CheckResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  try {
    if (probe.exec) return await checkExec(probe.exec.command ?? [], target, timeoutMs);
    if (probe.httpGet) return await checkHttp(probe.httpGet, target, timeoutMs);
    if (probe.tcpSocket) {
      const host = probe.tcpSocket.host || target.podIP;
      return await checkTcp(host, resolvePort(probe.tcpSocket.port, target), timeoutMs);
    }
    if (probe.grpc) {
      const { checkGrpc } = await import("./grpc.ts");
      const port = target.portMap[probe.grpc.port] ?? probe.grpc.port;
      return await checkGrpc({ host: target.podIP, port, service: probe.grpc.service ?? "", timeoutMs });
    }
    return { ok: false, output: "missing probe handler" };
  } catch (error) {
    return { ok: false, errored: true, output: error instanceof Error ? error.message : String(error) };
  }
}

/** A port's number on the pod's address: named ports looked up, the port map applied. Throws where the name is unknown. */
export function resolvePort(
  port: number | string,
  { ports, portMap }: Pick<Target, "ports" | "portMap">,
): number {
  const number =
    typeof port === "number"
      ? port
      : (ports.find(({ name }) => name === port)?.containerPort ?? Number(port));
  if (!Number.isInteger(number) || number < 1 || number > 65535)
    // A name that is none of the container's is read as a number, and Go has these words for it.
    throw new Error(`strconv.Atoi: parsing "${port}": invalid syntax`);
  return portMap[number] ?? number;
}

async function checkExec(argv: readonly string[], target: Target, timeoutMs: number): Promise<CheckResult> {
  const { code, output } = await target.exec(argv, timeoutMs).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    // The words of containerd and runc, without the exec's id.
    throw new Error(
      `rpc error: code = Unknown desc = failed to exec in container: OCI runtime exec failed: exec failed: unable to start container process: ${why}: unknown`,
    );
  });
  if (code === undefined)
    return {
      ok: false,
      output: `command timed out: ${JSON.stringify(argv.join(" "))} timed out after ${goDuration(timeoutMs)}`,
    };
  return { ok: code === 0, output };
}

export function checkTcp(host: string, port: number, timeoutMs: number): Promise<CheckResult> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const end = (result: CheckResult) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(
      () => end({ ok: false, output: `dial tcp ${host}:${port}: i/o timeout` }),
      timeoutMs,
    );
    socket.once("connect", () => end({ ok: true, output: "" }));
    socket.once("error", (error) => end({ ok: false, output: dialError(error, host, port) }));
  });
}

const CODES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  EADDRNOTAVAIL: "cannot assign requested address",
};

function dialError(error: NodeJS.ErrnoException, host: string, port: number): string {
  const words = CODES[error.code ?? ""] ?? error.message;
  return error.syscall === "connect"
    ? `dial tcp ${host}:${port}: connect: ${words}`
    : `read tcp ${host}:${port}: ${words}`;
}

async function checkHttp(action: HTTPGetAction, target: Target, timeoutMs: number): Promise<CheckResult> {
  const scheme = (action.scheme ?? "HTTP").toLowerCase();
  const host = action.host || target.podIP;
  const raw = action.path ?? "/";
  let url = new URL(
    `${scheme}://${host}:${resolvePort(action.port, target)}${raw.startsWith("/") ? raw : `/${raw}`}`,
  );
  const deadline = Date.now() + timeoutMs;
  for (let hop = 0; ; hop += 1) {
    const reply = await get(url, action, Math.max(deadline - Date.now(), 1));
    if (reply.error !== undefined) return { ok: false, output: reply.error };
    const location = reply.location;
    if (reply.code >= 300 && reply.code < 400 && location !== undefined) {
      const next = new URL(location, url);
      // A redirect to another host is a success with a warning: the probe is about this pod only.
      if (next.hostname !== url.hostname) return { ok: true, output: "" };
      if (hop >= MAX_REDIRECTS)
        return { ok: false, output: `Get ${JSON.stringify(location)}: stopped after 10 redirects` };
      url = next;
      continue;
    }
    const ok = reply.code >= 200 && reply.code < 400;
    return { ok, output: ok ? "" : `HTTP probe failed with statuscode: ${reply.code}` };
  }
}

interface Reply {
  readonly code: number;
  readonly location?: string | undefined;
  readonly error?: string;
}

function get(url: URL, action: HTTPGetAction, timeoutMs: number): Promise<Reply> {
  const headers: Record<string, string | string[]> = {
    "User-Agent": "kube-probe/1.36",
    Accept: "*/*",
    Connection: "close",
  };
  for (const { name, value } of action.httpHeaders ?? []) headers[name] = value;
  return new Promise((resolve) => {
    // TLS takes long to load, and few probes need it.
    const module = url.protocol === "https:" ? process.getBuiltinModule("node:https") : http;
    // Like the kubelet: who answers is not checked, only that something does.
    const request = module.request(url, { headers, agent: false, rejectUnauthorized: false });
    const end = (reply: Reply) => {
      clearTimeout(timer);
      request.destroy();
      resolve(reply);
    };
    // Go says the port, WHATWG's URL leaves a scheme's own out.
    const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
    const place = `${url.protocol}//${url.hostname}:${port}${url.pathname}${url.search}`;
    const fail = (why: string) => end({ code: 0, error: `Get "${place}": ${why}` });
    const timer = setTimeout(
      () => fail("context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
      timeoutMs,
    );
    request.once("error", (error) => fail(dialError(error, url.hostname, port)));
    request.once("response", (response) => {
      let size = 0;
      const done = () => end({ code: response.statusCode ?? 0, location: response.headers.location });
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BODY) done();
      });
      response.once("end", done);
      response.once("error", (error) => fail(error.message));
    });
    request.end();
  });
}
