// curl: the machine's own where it has one, told the cluster's addresses of the names in its arguments; else a small one
// with the options that tutorials use.
import { createWriteStream } from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { connectWords, headersOf, headLines } from "./http.ts";
import { type Options, parseOptions } from "./options.ts";
import { placeOf } from "./reach.ts";
import { handOver, machineProgram, type Tool } from "./tool.ts";

const SPEC = {
  known: [
    "s",
    "S",
    "f",
    "i",
    "I",
    "v",
    "o:",
    "O",
    "L",
    "X:",
    "d:",
    "H:",
    "k",
    "m:",
    "w:",
    "A:",
    "connect-timeout:",
  ],
  alias: {
    silent: "s",
    "show-error": "S",
    fail: "f",
    include: "i",
    head: "I",
    verbose: "v",
    output: "o",
    "remote-name": "O",
    location: "L",
    request: "X",
    data: "d",
    header: "H",
    insecure: "k",
    "max-time": "m",
    "write-out": "w",
    "user-agent": "A",
  },
};
const MOST_REDIRECTS = 50;

class CurlError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export async function curl(tool: Tool): Promise<number> {
  const machine = machineProgram("curl", tool.env);
  if (machine) return handOver(machine, [...(await connectTo(tool)), ...tool.args], tool.env);
  const options = parseOptions(tool.args, SPEC);
  if (options.unknown !== undefined || options.operands.length === 0) {
    tool.printError(
      options.unknown === undefined
        ? "curl: no URL specified!\n"
        : `curl: option ${options.unknown}: is unknown\n`,
    );
    return 2;
  }
  for (const target of options.operands) {
    try {
      await transfer(tool, options, urlOf(target));
    } catch (error) {
      const code = error instanceof CurlError ? error.code : 56;
      const isQuiet = options.has("s") && !options.has("S");
      if (!isQuiet)
        tool.printError(`curl: (${code}) ${error instanceof Error ? error.message : String(error)}\n`);
      return code;
    }
  }
  return 0;
}

const urlOf = (target: string) => {
  try {
    return new URL(/^\w+:\/\//.test(target) ? target : `http://${target}`);
  } catch {
    throw new CurlError(3, `URL rejected: Malformed input to a URL function`);
  }
};
const portOf = (url: URL) => Number(url.port) || (url.protocol === "https:" ? 443 : 80);

/** `--connect-to NAME:PORT:ADDRESS:PORT` for every argument that looks like a URL of a name the cluster knows. */
async function connectTo(tool: Tool): Promise<string[]> {
  const named = tool.args.filter((arg) => /^(https?:\/\/)?[a-z0-9][a-z0-9.-]*(:\d+)?([/?#].*)?$/i.test(arg));
  const told = await Promise.all(
    named.map(async (arg) => {
      const url = urlOf(arg);
      const place = await placeOf(url.hostname, portOf(url), tool, { clusterOnly: true });
      if (!place) return [];
      return ["--connect-to", `${url.hostname}:${portOf(url)}:${place.host}:${place.port}`];
    }),
  );
  return told.flat();
}

async function transfer(tool: Tool, options: Options, start: URL): Promise<void> {
  let url = start;
  for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
    const response = await send(tool, options, url);
    const { statusCode: code = 0, headers } = response;
    if (options.has("i") || options.has("I")) tool.print(`${headLines(response).join("\r\n")}\r\n\r\n`);
    if (options.has("L") && code >= 300 && code < 400 && headers.location) {
      response.resume();
      url = new URL(headers.location, url);
      continue;
    }
    if (options.has("f") && code >= 400) {
      response.destroy();
      throw new CurlError(22, `The requested URL returned error: ${code}`);
    }
    const file = options.value("o") ?? (options.has("O") ? path.basename(url.pathname) : undefined);
    if (file !== undefined && file !== "-") await pipeline(response, createWriteStream(file));
    else for await (const chunk of response) tool.print(chunk as Buffer);
    const format = options.value("w");
    if (format !== undefined) tool.print(written(format, code));
    return;
  }
  throw new CurlError(47, `Maximum (${MOST_REDIRECTS}) redirects followed`);
}

const written = (format: string, code: number) =>
  format
    .replaceAll("\\n", "\n")
    .replaceAll("\\t", "\t")
    .replaceAll(/%\{(http_code|response_code)\}/g, String(code).padStart(3, "0"));

async function send(tool: Tool, options: Options, url: URL): Promise<http.IncomingMessage> {
  const port = portOf(url);
  const place = await placeOf(url.hostname, port, tool);
  if (!place) throw new CurlError(6, `Could not resolve host: ${url.hostname}`);
  const body = options.has("d") ? options.values("d").join("&") : undefined;
  const headers: Record<string, string> = { "User-Agent": options.value("A") ?? "curl/8.0.0", Accept: "*/*" };
  if (body !== undefined) headers["Content-Type"] = "application/x-www-form-urlencoded";
  Object.assign(headers, headersOf(options.values("H")));
  const method = options.value("X") ?? (options.has("I") ? "HEAD" : body === undefined ? "GET" : "POST");
  const seconds = Number(options.value("m") ?? options.value("connect-timeout")) || 300;
  return new Promise((resolve, reject) => {
    const request = (url.protocol === "https:" ? https : http).request({
      host: place.host,
      port: place.port,
      servername: url.hostname,
      path: `${url.pathname}${url.search}`,
      method,
      headers: { Host: url.host, ...headers },
      agent: false,
      rejectUnauthorized: !options.has("k"),
      timeout: seconds * 1000,
    });
    const late = `Connection timed out after ${seconds * 1000} milliseconds`;
    request.once("timeout", () => request.destroy(new CurlError(28, late)));
    request.once("error", (error: NodeJS.ErrnoException) => {
      if (error.syscall !== "connect") return reject(error);
      const why = connectWords(error);
      reject(new CurlError(7, `Failed to connect to ${url.hostname} port ${port}: ${why}`));
    });
    request.once("response", resolve);
    request.end(body);
  });
}
