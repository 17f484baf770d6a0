import net, { type AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { forwardHostPorts, type HostPort, hostPortsOf } from "../../../../../agents/node/pod/host-ports.ts";
import type { ContainerPort, Pod, PodSpec } from "../../../../../src/api/generated/types.ts";

const pod = (ports: ContainerPort[], spec: Partial<PodSpec> = {}) =>
  ({ spec: { containers: [{ name: "a", ports }], ...spec } }) as Pod;

describe("hostPortsOf", () => {
  const NODE = "127.9.1.1";
  it.each<[string, Pod, HostPort[]]>([
    ["none", pod([{ containerPort: 80 }]), []],
    [
      "the node's address",
      pod([{ containerPort: 80, hostPort: 8080 }]),
      [{ host: NODE, port: 8080, containerPort: 80 }],
    ],
    [
      "a loopback address",
      pod([{ containerPort: 80, hostPort: 8080, hostIP: "127.0.0.1" }]),
      [{ host: "127.0.0.1", port: 8080, containerPort: 80 }],
    ],
    [
      "another machine's address",
      pod([{ containerPort: 80, hostPort: 8080, hostIP: "192.0.2.1" }]),
      [{ host: NODE, port: 8080, containerPort: 80 }],
    ],
    ["UDP", pod([{ containerPort: 53, hostPort: 53, protocol: "UDP" }]), []],
    ["the host's network", pod([{ containerPort: 80, hostPort: 80 }], { hostNetwork: true }), []],
  ])("%s", (_what, given, expected) => {
    expect(hostPortsOf(given, NODE)).toEqual(expected);
  });
});

describe("forwardHostPorts", () => {
  const listening = async (server: net.Server) => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  };

  it("passes both ways and half-closed, tells what is taken, and ends all with its stop", async () => {
    const echo = net.createServer({ allowHalfOpen: true }, (socket) => {
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      socket.once("end", () => socket.end(Buffer.concat([Buffer.from("said "), ...chunks])));
    });
    const taken = await listening(echo);
    const probe = net.createServer();
    const port = await listening(probe);
    await new Promise((resolve) => probe.close(resolve));
    const failed: [number, string | undefined][] = [];
    const ports = [port, taken].map((each) => ({ host: "127.0.0.1", port: each, containerPort: 80 }));
    const forwarding = await forwardHostPorts(
      ports,
      () => ({ host: "127.0.0.1", port: taken }),
      (failing, { code }) => failed.push([failing.port, code]),
    );
    expect(failed).toEqual([[taken, "EADDRINUSE"]]);
    const client = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    client.end("hello");
    let text = "";
    for await (const chunk of client) text += String(chunk);
    expect(text).toBe("said hello");
    const held = net.connect({ port, host: "127.0.0.1" });
    await new Promise((resolve) => held.once("connect", resolve));
    const cut = new Promise((resolve) => held.once("close", resolve));
    held.on("error", () => {});
    await forwarding.stop();
    await cut;
    echo.close();
  });
});
