// The small web programs that tutorials deploy: each answers as the original answers.
import os from "node:os";
import type { Container } from "../container.ts";

const text = { "Content-Type": "text/plain" };

export function kubernetesBootcamp(container: Container): void {
  const version = container.tag.replace(/^v/, "");
  const shown = /^\d+$/.test(version) ? version : "1";
  const pod = container.env["HOSTNAME"] ?? container.pod;
  container.print(
    `Kubernetes Bootcamp App Started At: ${new Date().toISOString()} | Running On:  ${pod} \n\n`,
  );
  let requests = 0;
  const startedAt = Date.now();
  container.serve(8080, (request, response) => {
    requests += 1;
    const upSeconds = (Date.now() - startedAt) / 1000;
    container.print(
      `Running On: ${pod} | Total Requests: ${requests} | App Uptime: ${upSeconds} seconds | Log Time: ${new Date().toISOString()}\n`,
    );
    request.resume();
    response.writeHead(200, text);
    response.end(`Hello Kubernetes bootcamp! | Running on: ${pod} | v=${shown}\n`);
  });
}

export function helloApp(container: Container): void {
  const version = /^v?(\d+\.\d+(\.\d+)?)$/.exec(container.tag)?.[1] ?? "1.0.0";
  const full = version.split(".").length === 2 ? `${version}.0` : version;
  const port = Number(container.env["PORT"]) || 8080;
  container.printError(`Server listening on port ${port}\n`);
  container.serve(8080, (request, response) => {
    container.printError(`Serving request: ${request.url}\n`);
    request.resume();
    response.writeHead(200, text);
    response.end(
      `Hello, world!\nVersion: ${full}\nHostname: ${container.env["HOSTNAME"] ?? container.pod}\n`,
    );
  });
}

export function httpEcho(container: Container): void {
  const body = container.flag("text") ?? container.env["ECHO_TEXT"];
  if (body === undefined) {
    container.printError("Missing -text option!\n");
    process.exit(127);
  }
  const port = Number((container.flag("listen") ?? ":5678").replace(/^.*:/, "")) || 5678;
  const status = Number(container.flag("status-code") ?? 200) || 200;
  container.serve(port, (request, response) => {
    request.resume();
    response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", "X-App-Name": "http-echo" });
    response.end(`${body}\n`);
  });
}

// What keeps the processor busy for about as long as a million rounds do in the original's language.
const ROUNDS = 4_000_000;

/** Works the processor for a moment on every request, so that an autoscaler has something to see. */
export function hpaExample(container: Container): void {
  container.serve(80, (request, response) => {
    let sum = 0.0001;
    for (let round = 0; round < ROUNDS; round += 1) sum += Math.sqrt(sum);
    request.resume();
    response.writeHead(200, { "Content-Type": "text/html; charset=UTF-8" });
    response.end(Number.isFinite(sum) ? "OK!" : "");
  });
}

/** What was asked, told back, with the pod that answered. */
export function echoServer(container: Container): void {
  const ports = container.ports.length > 0 ? container.ports : [8080];
  for (const port of ports)
    container.serve(port, (request, response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      request.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= 1_000_000) chunks.push(chunk);
      });
      request.on("end", () => {
        const url = new URL(request.url ?? "/", "http://pod");
        const headers = Object.entries(request.headers).sort(([a], [b]) => (a < b ? -1 : 1));
        response.writeHead(200, text);
        response.end(
          `\n\nHostname: ${container.env["HOSTNAME"] ?? container.pod}\n\nPod Information:\n\tpod name:\t${container.pod}\n\tpod IP:\t${container.host}\n\nServer values:\n\tserver_version=kubemu echo-server\n\nRequest Information:\n\tclient_address=${request.socket.remoteAddress}\n\tmethod=${request.method}\n\treal path=${request.url}\n\tquery=${url.search.slice(1)}\n\trequest_version=${request.httpVersion}\n\trequest_scheme=http\n\trequest_uri=http://${request.headers.host ?? container.host}${request.url}\n\nRequest Headers:\n${headers.map(([name, value]) => `\t${name}=${value}\n`).join("")}\nRequest Body:\n${Buffer.concat(chunks).toString() || "\t-no body in request-"}\n\n`,
        );
      });
    });
}

/** Stands in for an image that the catalogue does not know. */
export function fallback(container: Container): void {
  const ports = container.ports.length > 0 ? container.ports : [8080];
  container.print(
    `kubemu has no program for the image ${container.image}: this small web server stands in for it\n`,
  );
  for (const port of ports)
    container.serve(port, (request, response) => {
      request.resume();
      response.writeHead(200, text);
      response.end(
        `This stands in for ${container.image}, which kubemu has no program for.\nPod: ${container.pod}\nHost: ${os.hostname()}\nPort: ${port}\nRequest: ${request.method} ${request.url}\n`,
      );
    });
}
