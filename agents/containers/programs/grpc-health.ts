// agnhost grpc-health-checking: a gRPC server with the health service, and a port on which it is told over HTTP to stop serving.
import type { ServerHttp2Stream } from "node:http2";
import type { Container } from "../container.ts";

const SERVING = 1;
const NOT_SERVING = 2;
const CHECK = "/grpc.health.v1.Health/Check";
const UNIMPLEMENTED = "12";

export function grpcHealthChecking(container: Container): void {
  const port = Number(container.flag("port") ?? 5000) || 5000;
  const httpPort = Number(container.flag("http-port") ?? 8080) || 8080;
  const unhealthyAfter = Number(container.flag("delay-unhealthy-sec") ?? -1);
  let status = SERVING;
  if (unhealthyAfter >= 0)
    setTimeout(() => {
      status = NOT_SERVING;
    }, unhealthyAfter * 1000).unref();
  container.serve(httpPort, (request, response) => {
    request.resume();
    if (request.url === "/make-not-serving") status = NOT_SERVING;
    else if (request.url === "/make-serving") status = SERVING;
    response.end();
  });
  // Most containers never need it.
  void import("node:http2").then(({ createServer }) => {
    const server = createServer();
    server.on("stream", (stream, headers) => answer(stream, headers[":path"] === CHECK ? status : undefined));
    server.listen(container.portMap[port] ?? port, container.host, () =>
      container.print(
        `Http server starting to listen on :${httpPort}\nGrpc server starting to listen on :${port}\n`,
      ),
    );
  });
}

/** The reply is one uncompressed message whose field 1 is the status; the outcome of the call comes in the trailers. */
function answer(stream: ServerHttp2Stream, status: number | undefined): void {
  stream.on("error", () => {});
  stream.resume();
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.once("wantTrailers", () =>
    stream.sendTrailers({ "grpc-status": status === undefined ? UNIMPLEMENTED : "0" }),
  );
  stream.end(status === undefined ? undefined : Buffer.from([0, 0, 0, 0, 2, 0x08, status]));
}
