import { describe, expect, test } from "vitest";
import { lookUp } from "../../../../../agents/proxy/dns/zone.ts";
import { cluster } from "./source.ts";

/** `TYPE DATA` of each answer, in order; `nothing` for a name without such records; else the result. */
function ask(name: string, type = "A"): string[] | string {
  const answer = lookUp(cluster, name, type);
  if (answer.result !== "found") return answer.result;
  if (answer.answers.length === 0) return "nothing";
  return answer.answers.map((record) =>
    record.type === "SRV"
      ? `SRV ${record.data.priority} ${record.data.weight} ${record.data.port} ${record.data.target}`
      : `${record.type} ${record.data}`,
  );
}

describe("a name of the cluster", () => {
  test.each<[string, string, string[] | string]>([
    // Services
    ["web.default.svc.cluster.local", "A", ["A 127.20.192.7"]],
    ["WEB.Default.svc.CLUSTER.local", "A", ["A 127.20.192.7"]],
    ["web.default.svc.cluster.local", "AAAA", "nothing"],
    ["web.default.svc.cluster.local", "MX", "nothing"],
    ["web.other.svc.cluster.local", "A", "missing"],
    ["nobody.default.svc.cluster.local", "A", "missing"],
    ["127-20-1-2.web.default.svc.cluster.local", "A", "missing"],
    // Headless Services: ready pods only, but where not-ready ones are published
    ["nginx.default.svc.cluster.local", "A", ["A 127.20.1.3", "A 127.20.2.4"]],
    ["web-0.nginx.default.svc.cluster.local", "A", ["A 127.20.1.3"]],
    ["web-2.nginx.default.svc.cluster.local", "A", "missing"],
    ["web-0.nginx.default.svc.cluster.local", "AAAA", "nothing"],
    ["peers.default.svc.cluster.local", "A", ["A 127.20.1.9"]],
    ["127-20-1-9.peers.default.svc.cluster.local", "A", ["A 127.20.1.9"]],
    ["empty.default.svc.cluster.local", "A", "nothing"],
    // Ports
    ["_http._tcp.web.default.svc.cluster.local", "SRV", ["SRV 0 100 80 web.default.svc.cluster.local"]],
    ["_http._udp.web.default.svc.cluster.local", "SRV", "missing"],
    ["_ftp._tcp.web.default.svc.cluster.local", "SRV", "missing"],
    [
      "_web._tcp.nginx.default.svc.cluster.local",
      "SRV",
      [
        "SRV 0 50 80 web-0.nginx.default.svc.cluster.local",
        "SRV 0 50 80 web-1.nginx.default.svc.cluster.local",
      ],
    ],
    [
      "web.default.svc.cluster.local",
      "SRV",
      ["SRV 0 50 80 web.default.svc.cluster.local", "SRV 0 50 9090 web.default.svc.cluster.local"],
    ],
    ["peers.default.svc.cluster.local", "SRV", "nothing"],
    // ExternalName
    ["docs.default.svc.cluster.local", "A", ["CNAME docs.example.com"]],
    ["docs.default.svc.cluster.local", "CNAME", ["CNAME docs.example.com"]],
    ["alias.default.svc.cluster.local", "A", ["CNAME web.default.svc.cluster.local", "A 127.20.192.7"]],
    [
      "round.default.svc.cluster.local",
      "A",
      ["CNAME trip.default.svc.cluster.local", "CNAME round.default.svc.cluster.local"],
    ],
    // Pods
    ["10-0-0-7.default.pod.cluster.local", "A", ["A 10.0.0.7"]],
    ["10-0-0.default.pod.cluster.local", "A", "missing"],
    ["default.pod.cluster.local", "A", "nothing"],
    // The tree above
    ["cluster.local", "A", "nothing"],
    ["svc.cluster.local", "A", "nothing"],
    ["default.svc.cluster.local", "A", "nothing"],
    ["nowhere.svc.cluster.local", "A", "missing"],
    ["something.cluster.local", "A", "missing"],
    ["a.b.c.web.default.svc.cluster.local", "A", "missing"],
    ["dns-version.cluster.local", "TXT", ["TXT 1.1.0"]],
    // Others' names
    ["example.com", "A", "foreign"],
    ["mycluster.local", "A", "foreign"],
    ["", "A", "foreign"],
    // Addresses
    ["7.192.20.127.in-addr.arpa", "PTR", ["PTR web.default.svc.cluster.local"]],
    ["3.1.20.127.in-addr.arpa", "PTR", ["PTR web-0.nginx.default.svc.cluster.local"]],
    ["9.1.20.127.in-addr.arpa", "PTR", ["PTR 127-20-1-9.peers.default.svc.cluster.local"]],
    ["3.1.20.127.in-addr.arpa", "A", "nothing"],
    ["2.1.20.127.in-addr.arpa", "PTR", "missing"],
    ["1.20.127.in-addr.arpa", "PTR", "missing"],
  ])("%s %s is %j", (name, type, expected) => {
    expect(ask(name, type)).toEqual(expected);
  });

  test("comes with the addresses of what an SRV record points to", () => {
    const answer = lookUp(cluster, "_web._tcp.nginx.default.svc.cluster.local", "SRV");
    expect(answer).toMatchObject({
      additionals: [
        { type: "A", name: "web-0.nginx.default.svc.cluster.local", data: "127.20.1.3" },
        { type: "A", name: "web-1.nginx.default.svc.cluster.local", data: "127.20.2.4" },
      ],
    });
  });
});
