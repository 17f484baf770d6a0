// nginx and httpd: a page of their own, or the files of a mounted document root, in the original's reply format
// (Server header, ETag, error pages, access log). Not here: configuration files are not read.
// `promises` is loaded when it is first used: for a mounted document root.
import { createReadStream, promises } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import type { Container } from "../container.ts";

interface WebServer {
  readonly server: string;
  readonly documentRoot: string;
  readonly welcome: string;
  errorPage(code: number, text: string): string;
  /** What a line of its access log has behind the common log format. */
  moreLogged?(headers: IncomingHttpHeaders): string;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".htm": "text/html",
  ".css": "text/css",
  ".js": "application/javascript",
  ".json": "application/json",
  ".txt": "text/plain",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".gif": "image/gif",
  ".ico": "image/x-icon",
  ".xml": "text/xml",
};

export function nginx(container: Container): void {
  const version = /^\d+\.\d+(\.\d+)?/.exec(container.tag)?.[0] ?? "1.29.0";
  const server = `nginx/${version.split(".").length === 2 ? `${version}.0` : version}`;
  const page = (title: string, body: string) =>
    `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n${body}</body>\r\n</html>\r\n`;
  // The first words of a new container's log, where whoever types `kubectl logs` looks first.
  const now = new Date().toISOString().slice(0, 19).replaceAll("-", "/").replace("T", " ");
  container.printError(`${now} [notice] 1#1: ${server}\n${now} [notice] 1#1: start worker processes\n`);
  run(container, {
    server,
    documentRoot: "/usr/share/nginx/html",
    welcome: `<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>html { color-scheme: light dark; } body { max-width: 40em; margin: 2em auto; font-family: sans-serif; }</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>This page comes from a kubemu container that stands in for ${server}.</p>
<p>Mount a volume at /usr/share/nginx/html to serve files of your own.</p>
</body>
</html>
`,
    errorPage: (code, text) =>
      page(
        `${code} ${text}`,
        `<center><h1>${code} ${text}</h1></center>\r\n<hr><center>${server}</center>\r\n`,
      ),
    moreLogged: ({ referer = "-", "user-agent": agent = "-", "x-forwarded-for": forwarded = "-" }) =>
      ` "${referer}" "${agent}" "${forwarded}"`,
  });
}

export function httpd(container: Container): void {
  const version = /^\d+\.\d+\.\d+/.exec(container.tag)?.[0] ?? "2.4.65";
  run(container, {
    server: `Apache/${version} (Unix)`,
    documentRoot: "/usr/local/apache2/htdocs",
    welcome: "<html><body><h1>It works!</h1></body></html>\n",
    errorPage: (code, text) =>
      `<!DOCTYPE html>\n<html><head><title>${code} ${text}</title></head><body><h1>${text}</h1></body></html>\n`,
  });
}

function run(container: Container, web: WebServer): void {
  const root = path.join(container.root, web.documentRoot);
  container.serve(80, (request, response) => {
    response.setHeader("Server", web.server);
    response.on("finish", () => container.print(accessLine(request, response, web)));
    request.resume();
    reply({ request, response, web, root }).catch(() => response.destroy());
  });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly web: WebServer;
  readonly root: string;
}

async function reply(exchange: Exchange): Promise<void> {
  const { request, response, web, root } = exchange;
  if (request.method !== "GET" && request.method !== "HEAD") return fail(exchange, 405, "Not Allowed");
  const pathname = decodedPath(request.url ?? "/");
  if (pathname === undefined) return fail(exchange, 400, "Bad Request");
  const mounted = await promises.stat(root).catch(() => undefined);
  if (!mounted) {
    if (pathname !== "/" && pathname !== "/index.html") return fail(exchange, 404, "Not Found");
    response.setHeader("Content-Type", "text/html");
    response.setHeader("Content-Length", Buffer.byteLength(web.welcome));
    response.end(request.method === "HEAD" ? undefined : web.welcome);
    return;
  }
  let file = path.join(root, pathname);
  let found = await promises.stat(file).catch(() => undefined);
  if (found?.isDirectory()) {
    if (!pathname.endsWith("/")) {
      response.setHeader("Location", `${pathname}/`);
      return fail(exchange, 301, "Moved Permanently");
    }
    file = path.join(file, "index.html");
    found = await promises.stat(file).catch(() => undefined);
    if (!found) return fail(exchange, 403, "Forbidden");
  }
  if (!found?.isFile()) return fail(exchange, 404, "Not Found");
  sendFile(exchange, file, found);
}

function sendFile(
  { request, response }: Exchange,
  file: string,
  found: { mtimeMs: number; size: number },
): void {
  const tag = `"${Math.floor(found.mtimeMs / 1000).toString(16)}-${found.size.toString(16)}"`;
  response.setHeader("Content-Type", TYPES[path.extname(file).toLowerCase()] ?? "application/octet-stream");
  response.setHeader("Last-Modified", new Date(found.mtimeMs).toUTCString());
  response.setHeader("ETag", tag);
  if (request.headers["if-none-match"] === tag) {
    response.statusCode = 304;
    response.end();
    return;
  }
  response.setHeader("Content-Length", found.size);
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  // The file may be replaced while it is read (a ConfigMap that changes): send no more than was promised.
  if (found.size === 0) response.end();
  else
    createReadStream(file, { end: found.size - 1 })
      .on("error", () => response.destroy())
      .pipe(response);
}

function fail({ response, web }: Exchange, code: number, text: string): void {
  const body = web.errorPage(code, text);
  response.writeHead(code, { "Content-Type": "text/html", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

/** The path of a request target without query, decoded and without dots; undefined where it is malformed. */
function decodedPath(target: string): string | undefined {
  try {
    const decoded = decodeURIComponent(target.split(/[?#]/, 1)[0] ?? "/");
    return decoded.startsWith("/") && !decoded.includes("\0") ? path.posix.normalize(decoded) : undefined;
  } catch {
    return undefined;
  }
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function accessLine(request: IncomingMessage, response: ServerResponse, web: WebServer): string {
  const [date = "", time = ""] = new Date().toISOString().slice(0, 19).split("T");
  const [year, month, day] = date.split("-");
  const when = `${day}/${MONTHS[Number(month) - 1]}/${year}:${time} +0000`;
  const size = response.getHeader("content-length") ?? 0;
  const line = `${request.method} ${request.url} HTTP/${request.httpVersion}`;
  return `${request.socket.remoteAddress ?? "-"} - - [${when}] "${line}" ${response.statusCode} ${size}${web.moreLogged?.(request.headers) ?? ""}\n`;
}
