import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ContainerPort, PodSpec } from "../../../../../src/api/generated/types.ts";
import { podWarnings } from "../../../../../src/api/kinds/pod/warnings.ts";

const warningsOf = (ports: readonly ContainerPort[]) => {
  const spec: PodSpec = {
    containers: ports.map((port, index) => ({ name: `c${index}`, image: "i", ports: [port] })),
  };
  return podWarnings({ spec }, "spec").filter((text) => text.includes("port definition"));
};

/** Each port against each before it. */
function clashesOf(ports: readonly ContainerPort[]): string[] {
  return ports.flatMap((now, index) =>
    ports.slice(0, index).flatMap((before, other) => {
      if (now.containerPort !== before.containerPort || now.protocol !== before.protocol) return [];
      const same = now.hostPort === before.hostPort && now.hostIP === before.hostIP;
      if (!same && now.hostPort && before.hostPort) return [];
      const [here, there] = [index, other].map((n) => `spec.containers[${n}].ports[0]`);
      return [`${here}: ${same ? "duplicate" : "overlapping"} port definition with ${there}`];
    }),
  );
}

describe("warnings about a pod's ports", () => {
  it("name each two that clash, in their order", () => {
    const port = fc.record({
      containerPort: fc.constantFrom(80, 81),
      protocol: fc.constantFrom("TCP", "UDP"),
      hostPort: fc.constantFrom(0, 8080, 8081),
      hostIP: fc.constantFrom("", "127.0.0.1"),
    });
    fc.assert(
      fc.property(fc.array(port, { maxLength: 14 }), (ports) => {
        expect(warningsOf(ports)).toEqual(clashesOf(ports).slice(0, 100));
      }),
    );
  });

  it("are no more than can be told when each of thousands clashes with each", () => {
    const ports = Array.from({ length: 5000 }, () => ({ containerPort: 80, protocol: "TCP" }));
    expect(warningsOf(ports)).toHaveLength(100);
  });
});
