// Every built-in program by name. The image catalogue (agents/node/images/) says which images they stand for.
import type { Container } from "./container.ts";
import { agnhost } from "./programs/agnhost.ts";
import {
  echoServer,
  fallback,
  helloApp,
  hpaExample,
  httpEcho,
  kubernetesBootcamp,
} from "./programs/samples.ts";
import { httpd, nginx } from "./programs/web-server.ts";

export type Program = (container: Container) => void;

/** Does nothing until it is told to stop. */
function pause(container: Container): void {
  const timer = setInterval(() => {}, 2 ** 31 - 1);
  container.onStop(() => clearInterval(timer));
}

/** A TCP port that accepts and says nothing: what stands in for a database, so that connections and probes succeed. */
function listener(container: Container): void {
  for (const port of container.ports) {
    const server = container.serve(port, (_request, response) => response.end());
    server.on("clientError", (_error, socket) => socket.destroy());
  }
  container.print(`${container.image} is not a program that kubemu has: this one only accepts connections\n`);
  if (container.ports.length === 0) pause(container);
}

export const programs: Readonly<Record<string, Program>> = {
  nginx,
  httpd,
  agnhost,
  pause,
  listener,
  fallback,
  "echo-server": echoServer,
  "hello-app": helloApp,
  "hpa-example": hpaExample,
  "http-echo": httpEcho,
  "kubernetes-bootcamp": kubernetesBootcamp,
};
