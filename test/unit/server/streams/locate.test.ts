import { describe, expect, test } from "vitest";
import type { Pod } from "../../../../src/api/generated/types.ts";
import { agentQuery } from "../../../../src/server/streams/agent-query.ts";
import { chooseContainer, locate } from "../../../../src/server/streams/locate.ts";
import type { RelayReader, StreamTarget } from "../../../../src/server/streams/relay.ts";

const pod = (names: string[], initNames: string[] = []) =>
  ({
    metadata: { name: "web", annotations: { "kubemu.dev/port-map": '{"80":10080}' } },
    spec: {
      containers: names.map((name) => ({ name, ports: [{ containerPort: 80 }] })),
      initContainers: initNames.map((name) => ({ name })),
    },
    status: { podIP: "127.16.1.2" },
  }) as unknown as Pod;

describe("the container of a request", () => {
  test("is the only one, or the one it names", () => {
    expect(chooseContainer(pod(["a"], ["setup"]), "")).toBe("a");
    expect(chooseContainer(pod(["a", "b"], ["setup"]), "setup")).toBe("setup");
  });
  test("must be named where there are several, and exist", () => {
    expect(() => chooseContainer(pod(["a", "b"]), "")).toThrow(
      "a container name must be specified for pod web, choose one of: [a b]",
    );
    expect(() => chooseContainer(pod(["a", "b"], ["c"]), "")).toThrow(
      "[a b] or one of the init containers: [c]",
    );
    expect(() => chooseContainer(pod(["a"]), "x")).toThrow("container x is not valid for pod web");
  });
});

describe("the node agent's query", () => {
  const target = (subresource: StreamTarget["subresource"], query: string): StreamTarget => ({
    plural: "pods",
    namespace: "default",
    name: "web",
    subresource,
    query,
  });
  test("renames the streams and keeps the command's words in order", () => {
    const query = "container=main&command=ls&command=-l&stdin=true&stdout=1&stderr=false&tty=0";
    expect(agentQuery(target("exec", query))).toEqual({
      query: "command=ls&command=-l&input=1&output=1",
      container: "main",
    });
  });
  test("takes no log options that contradict each other", () => {
    expect(() => agentQuery(target("log", "sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z"))).toThrow(
      "at most one of `sinceTime` or `sinceSeconds` may be specified",
    );
    expect(() => agentQuery(target("log", "limitBytes=0"))).toThrow(
      "limitBytes: Invalid value: 0: must be greater than 0",
    );
    expect(() => agentQuery(target("log", "tailLines=x&limitBytes=0"))).toThrow(
      expect.objectContaining({ code: 400, message: 'strconv.ParseInt: parsing "x": invalid syntax' }),
    );
    expect(() => agentQuery(target("log", "sinceTime=bad"))).toThrow(
      expect.objectContaining({
        code: 400,
        message: 'parsing time "bad" as "2006-01-02T15:04:05Z07:00": cannot parse "bad" as "2006"',
      }),
    );
    expect(() => agentQuery(target("log", "stream=x"))).toThrow(
      'supported values: "All", "Stdout", "Stderr"',
    );
  });
});

describe("the backend of a proxied request", () => {
  const slice = (ready: boolean) => ({
    ports: [{ name: "http", port: 10080 }],
    endpoints: [{ addresses: ["127.16.1.2"], conditions: { ready } }],
  });
  const reader = (ready = true): RelayReader => ({
    find: async (resource) =>
      (resource.plural === "pods"
        ? pod(["a"])
        : { metadata: { name: "web" }, spec: { ports: [{ name: "http", port: 80 }] } }) as never,
    list: async () => [slice(ready)] as never,
  });
  const proxied = (plural: StreamTarget["plural"], name: string, from = reader()) =>
    locate({ plural, namespace: "default", name, subresource: "proxy", path: "/a", query: "b=c" }, from);

  test("is where the pod's process listens", async () => {
    const place = { scheme: "http", host: "127.16.1.2", port: 10080, path: "/a?b=c" };
    expect(await proxied("pods", "web")).toEqual(place);
    expect(await proxied("pods", "web:80")).toEqual(place);
    expect(await proxied("pods", "https:web:8443")).toEqual({ ...place, scheme: "https", port: 8443 });
  });
  test("is a ready endpoint of the Service's port, by number or name", async () => {
    expect(await proxied("services", "web:80")).toMatchObject({ host: "127.16.1.2", port: 10080 });
    expect(await proxied("services", "http:web:http")).toMatchObject({ port: 10080 });
    await expect(proxied("services", "web:81")).rejects.toThrow('no service port 81 found for service "web"');
    await expect(proxied("services", "web:80", reader(false))).rejects.toThrow(
      'no endpoints available for service "web"',
    );
  });
  test("must be named well", async () => {
    await expect(proxied("services", "ftp:web:80")).rejects.toThrow('invalid service request "ftp:web:80"');
  });
});
