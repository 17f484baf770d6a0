import { describe, expect, it } from "vitest";
import { candidates, parseHosts, parseResolvConf } from "../../../../../agents/containers/dns/config.ts";

describe("parseResolvConf", () => {
  const text =
    "# kubelet\nsearch a.b c\nnameserver 127.20.192.10\nnameserver 9.9.9.9\noptions ndots:5 edns0\n";
  it("reads servers, search list and ndots, and asks the cluster's server where it listens", () => {
    expect(parseResolvConf(text, { service: "127.20.192.10", place: "127.20.255.253:10053" })).toEqual({
      servers: [
        { address: "127.20.192.10", host: "127.20.255.253", port: 10_053 },
        { address: "9.9.9.9", host: "9.9.9.9", port: 53 },
      ],
      search: ["a.b", "c"],
      ndots: 5,
    });
  });
  it("makes do with nothing and with rubbish", () => {
    expect(parseResolvConf("")).toEqual({ servers: [], search: [], ndots: 1 });
    expect(parseResolvConf("nameserver\nnameserver x\noptions ndots:many\n").servers).toEqual([]);
  });
});

describe("candidates", () => {
  const config = { search: ["shop.svc.cluster.local", "svc.cluster.local"], ndots: 5 };
  it.each([
    ["web", ["web.shop.svc.cluster.local", "web.svc.cluster.local", "web"]],
    ["web.shop", ["web.shop.shop.svc.cluster.local", "web.shop.svc.cluster.local", "web.shop"]],
    ["a.b.c.d.e.f", ["a.b.c.d.e.f", "a.b.c.d.e.f.shop.svc.cluster.local", "a.b.c.d.e.f.svc.cluster.local"]],
    ["web.", ["web"]],
  ])("of %s", (name, expected) => {
    expect(candidates(name, config)).toEqual(expected);
  });
});

describe("parseHosts", () => {
  it("gives every name of a line its address, and keeps several", () => {
    const hosts = parseHosts(
      "127.0.0.1 localhost # own\n10.0.0.1\tFoo.remote bar\n10.0.0.2 bar\nnonsense x\n",
    );
    expect([...hosts]).toEqual([
      ["localhost", ["127.0.0.1"]],
      ["foo.remote", ["10.0.0.1"]],
      ["bar", ["10.0.0.1", "10.0.0.2"]],
    ]);
  });
});
