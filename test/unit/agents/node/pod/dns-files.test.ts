import { describe, expect, it } from "vitest";
import { hostnameOf, hostsFile, resolvConf } from "../../../../../agents/node/pod/dns-files.ts";
import type { Pod, PodSpec } from "../../../../../src/api/generated/types.ts";

const pod = (spec: Partial<PodSpec> = {}): Pod =>
  ({ metadata: { name: "web-0", namespace: "shop" }, spec: { containers: [], ...spec } }) as unknown as Pod;
const facts = {
  clusterDns: "10.96.0.10",
  machine: "search corp.example\nnameserver 192.0.2.1\noptions rotate\n",
};
const CLUSTER =
  "search shop.svc.cluster.local svc.cluster.local cluster.local corp.example\nnameserver 10.96.0.10\noptions ndots:5\n";
const MACHINE = "search corp.example\nnameserver 192.0.2.1\noptions rotate\n";

describe("resolvConf", () => {
  it.each<[string, Partial<PodSpec>, string]>([
    ["the default", {}, CLUSTER],
    ["ClusterFirst", { dnsPolicy: "ClusterFirst" }, CLUSTER],
    ["ClusterFirst on the host's network", { dnsPolicy: "ClusterFirst", hostNetwork: true }, MACHINE],
    ["ClusterFirstWithHostNet", { dnsPolicy: "ClusterFirstWithHostNet", hostNetwork: true }, CLUSTER],
    ["Default", { dnsPolicy: "Default" }, MACHINE],
    [
      "None",
      {
        dnsPolicy: "None",
        dnsConfig: { nameservers: ["192.0.2.9"], searches: ["a.b"], options: [{ name: "edns0" }] },
      },
      "search a.b\nnameserver 192.0.2.9\noptions edns0\n",
    ],
    [
      "what dnsConfig adds and replaces",
      { dnsConfig: { nameservers: ["192.0.2.9", "10.96.0.10"], options: [{ name: "ndots", value: "2" }] } },
      CLUSTER.replace("10\noptions", "10\nnameserver 192.0.2.9\noptions").replace("ndots:5", "ndots:2"),
    ],
  ])("%s", (_name, spec, expected) => {
    expect(resolvConf(pod(spec), facts)).toBe(expected);
  });
});

describe("hostsFile", () => {
  it("names the pod, and what hostAliases add", () => {
    const aliases = [{ ip: "192.0.2.5", hostnames: ["foo.remote", "bar.remote"] }];
    const text = hostsFile(pod({ subdomain: "nginx", hostAliases: aliases }), "127.20.1.2");
    expect(text).toContain("127.20.1.2\tweb-0.nginx.shop.svc.cluster.local\tweb-0\n");
    expect(text.endsWith("\n# Entries added by HostAliases.\n192.0.2.5\tfoo.remote\tbar.remote\n")).toBe(
      true,
    );
    expect(hostsFile(pod(), "127.20.1.2")).toContain("\n127.20.1.2\tweb-0\n");
  });
});

describe("hostnameOf", () => {
  it.each<[Partial<PodSpec>, string]>([
    [{}, "web-0"],
    [{ hostname: "own" }, "own"],
    [{ hostname: "own", subdomain: "sub", setHostnameAsFQDN: true }, "own.sub.shop.svc.cluster.local"],
    [{ setHostnameAsFQDN: true }, "web-0"],
  ])("%j", (spec, expected) => {
    expect(hostnameOf(pod(spec))).toBe(expected);
  });
});
