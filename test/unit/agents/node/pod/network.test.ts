import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { admitPod } from "../../../../../agents/node/pod/admission.ts";
import { goDuration } from "../../../../../agents/node/pod/go-duration.ts";
import { createPodNetwork, portsOf } from "../../../../../agents/node/pod/network.ts";
import type { Pod } from "../../../../../src/api/generated/types.ts";
import { systemClock } from "../../../../../src/base/clock.ts";

const network = (more: { singleAddress?: boolean; lowestPort?: number; now?: () => number } = {}) =>
  createPodNetwork({
    slot: 16,
    index: 3,
    singleAddress: more.singleAddress ?? false,
    lowestPort: more.lowestPort ?? 0,
    clock: { ...systemClock, now: more.now ?? (() => 0) },
  });

describe("createPodNetwork", () => {
  it("hands out the lowest free address, and a used one only after a rest", () => {
    let now = 0;
    const pods = network({ now: () => now });
    expect([pods.allocate(false), pods.allocate(false)]).toEqual(["127.16.3.2", "127.16.3.3"]);
    pods.release("127.16.3.2");
    expect(pods.allocate(false)).toBe("127.16.3.4");
    now = 60_000;
    expect(pods.allocate(false)).toBe("127.16.3.2");
  });

  it("gives the node's own address to pods on the host's network", () => {
    expect(network().allocate(true)).toBe("127.16.3.1");
    expect(network({ singleAddress: true }).allocate(false)).toBe("127.0.0.1");
  });

  it("takes a resting address rather than none, and says when there is none", () => {
    const pods = network();
    for (let host = 2; host <= 254; host += 1) pods.allocate(false);
    expect(() => pods.allocate(false)).toThrow("no IP addresses available in range 127.16.3.0/24");
    pods.release("127.16.3.77");
    expect(pods.allocate(false)).toBe("127.16.3.77");
  });

  it("maps only the ports that may not be bound, to ports that are free", async () => {
    const pods = network({ lowestPort: 1024 });
    const ip = "127.0.0.1";
    expect(await pods.mapPorts(ip, [8080])).toEqual({});
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(10_080, ip, resolve)).catch(() => {});
    const map = await pods.mapPorts(ip, [80, 80, 8080]);
    expect(Object.keys(map)).toEqual(["80"]);
    expect(map[80]).not.toBe(10_080);
    await new Promise((resolve) => taken.close(resolve));
  });
});

describe("admitPod", () => {
  const pod = (cpu: string, hostPort?: number): Pod => ({
    metadata: { name: "x", uid: "u", creationTimestamp: "", resourceVersion: "1" },
    spec: {
      containers: [
        {
          name: "a",
          resources: { requests: { cpu } },
          ...(hostPort ? { ports: [{ containerPort: 80, hostPort }] } : {}),
        },
      ],
    },
  });

  it("refuses what does not fit, in the kubelet's words", () => {
    expect(admitPod(pod("1500m"), [pod("1")], { cpu: "2", pods: "110" })).toEqual({
      reason: "OutOfcpu",
      message: "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
    });
    expect(admitPod(pod("1"), [pod("1")], { cpu: "2", pods: "110" })).toBeUndefined();
    expect(admitPod(pod("0"), [pod("0")], { cpu: "2", pods: "1" })?.reason).toBe("OutOfpods");
  });

  it("refuses a host port that is taken", () => {
    expect(admitPod(pod("0", 80), [pod("0", 80)], { pods: "110" })?.reason).toBe("NodePorts");
    expect(admitPod(pod("0", 80), [pod("0", 81)], { pods: "110" })).toBeUndefined();
  });
});

describe("portsOf", () => {
  it("counts what containers and sidecars declare over TCP, and what their images serve undeclared", () => {
    const pod = {
      metadata: { name: "p" },
      spec: {
        initContainers: [{ name: "side", image: "nginx", restartPolicy: "Always" }],
        containers: [
          {
            name: "own",
            image: "busybox",
            command: ["serve"],
            ports: [{ containerPort: 81 }, { containerPort: 53, protocol: "UDP" }],
          },
          { name: "not-its-program", image: "nginx", command: ["sleep", "9"] },
        ],
      },
    };
    expect(portsOf(pod as unknown as Pod, [])).toEqual([80, 81]);
  });
});

describe("goDuration", () => {
  it.each([
    [0, "0s"],
    [500, "500ms"],
    [1500, "1.5s"],
    [10_000, "10s"],
    [80_000, "1m20s"],
    [300_000, "5m0s"],
    [3_600_000, "1h0m0s"],
  ])("%i ms is %s", (spanMs, text) => expect(goDuration(spanMs)).toBe(text));
});
