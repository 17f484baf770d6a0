// wget as busybox has it. Options that only GNU wget knows are the machine's own wget's to answer, where it has one.
import { createWriteStream } from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { connectWords, headersOf, headLines } from "./http.ts";
import { parseOptions } from "./options.ts";
import { placeOf } from "./reach.ts";
import { handOver, machineProgram, type Tool } from "./tool.ts";

const SPEC = {
  known: [
    "q",
    "O:",
    "T:",
    "S",
    "c",
    "t:",
    "P:",
    "U:",
    "spider",
    "header:",
    "post-data:",
    "no-check-certificate",
  ],
  alias: {
    quiet: "q",
    "output-document": "O",
    timeout: "T",
    tries: "t",
    "server-response": "S",
    "user-agent": "U",
    "directory-prefix": "P",
    continue: "c",
  },
};
const MOST_REDIRECTS = 5;
const USUAL_TIMEOUT_SECONDS = 900;

class WgetError extends Error {}

export async function wget(tool: Tool): Promise<number> {
  const options = parseOptions(tool.args, SPEC);
  const [target] = options.operands;
  if (options.unknown !== undefined || target === undefined || options.operands.length > 1) {
    const machine = machineProgram("wget", tool.env);
    if (machine) return handOver(machine, tool.args, tool.env);
    tool.printError(`wget: unrecognized option: ${options.unknown ?? tool.args.join(" ")}\n`);
    return 1;
  }
  const headers = { "User-Agent": options.value("U") ?? "Wget", ...headersOf(options.values("header")) };
  const say = options.has("q") ? () => {} : tool.printError;
  const seconds = Number(options.value("T")) || USUAL_TIMEOUT_SECONDS;
  try {
    const url = new URL(/^\w+:\/\//.test(target) ? target : `http://${target}`);
    const request: Fetch = {
      tool,
      say,
      headers,
      seconds,
      body: options.value("post-data"),
      showHeaders: options.has("S"),
    };
    const { response, url: last } = await fetchFollowing(url, request);
    if (options.has("spider")) {
      response.destroy();
      return 0;
    }
    const file =
      options.value("O") ?? path.join(options.value("P") ?? "", path.basename(last.pathname) || "index.html");
    if (file === "-") for await (const chunk of response) tool.print(chunk as Buffer);
    else {
      await pipeline(response, createWriteStream(file));
      say(`${path.basename(file).padEnd(21)}100% |${"*".repeat(31)}|\n`);
    }
    return 0;
  } catch (error) {
    tool.printError(`wget: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

interface Fetch {
  readonly tool: Tool;
  readonly say: (text: string) => void;
  readonly headers: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly body: string | undefined;
  readonly showHeaders: boolean;
}

interface Fetched {
  readonly response: http.IncomingMessage;
  readonly url: URL;
}

async function fetchFollowing(start: URL, fetch: Fetch): Promise<Fetched> {
  let url = start;
  for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
    const response = await fetchOnce(url, fetch);
    const { statusCode: code = 0, statusMessage = "", headers } = response;
    if (fetch.showHeaders)
      fetch.tool.printError(
        headLines(response)
          .map((line) => `  ${line}\n`)
          .join(""),
      );
    if (code >= 300 && code < 400 && headers.location) {
      response.resume();
      url = new URL(headers.location, url);
    } else if (code >= 200 && code < 300) return { response, url };
    else {
      response.destroy();
      throw new WgetError(`server returned error: HTTP/${response.httpVersion} ${code} ${statusMessage}`);
    }
  }
  throw new WgetError("too many redirections");
}

async function fetchOnce(
  url: URL,
  { tool, say, headers, seconds, body }: Fetch,
): Promise<http.IncomingMessage> {
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const place = await placeOf(hostname, port, tool);
  if (!place) throw new WgetError(`bad address '${hostname}'`);
  say(`Connecting to ${url.host} (${place.address}:${port})\n`);
  const module = url.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    const request = module.request({
      host: place.host,
      port: place.port,
      servername: hostname,
      path: `${url.pathname}${url.search}`,
      method: body === undefined ? "GET" : "POST",
      headers: {
        Host: url.host,
        ...(body === undefined
          ? {}
          : {
              "Content-Type": "application/x-www-form-urlencoded",
              "Content-Length": Buffer.byteLength(body),
            }),
        ...headers,
      },
      agent: false,
      // As busybox's, which cannot check certificates.
      rejectUnauthorized: false,
      timeout: seconds * 1000,
    });
    request.once("timeout", () => request.destroy(new WgetError("download timed out")));
    request.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.syscall === "connect"
          ? new WgetError(`can't connect to remote host (${place.address}): ${connectWords(error)}`)
          : error,
      ),
    );
    request.once("response", resolve);
    request.end(body);
  });
}
