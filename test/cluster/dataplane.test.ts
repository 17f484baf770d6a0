// The data plane under open-loop load: what is rolled, drained, scaled or killed, and how many requests fail meanwhile.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TrafficRecord } from "../../src/api/traffic.ts";
import { type Cluster, eventually, KUBEMU, run, startCluster } from "./harness.ts";
import { sendOpenLoop } from "./open-loop.ts";

const MANIFEST = (name: string, appProtocol: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: 4
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
        - name: web
          image: nginx:1.27
          ports: [{name: http, containerPort: 80}]
          readinessProbe: {httpGet: {port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec:
  selector: {app: ${name}}
  ports: [{name: http, port: 8080, targetPort: http${appProtocol}}]
`;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
  await cluster.apply(MANIFEST("l4", ""));
  await cluster.apply(MANIFEST("http", ", appProtocol: http"));
  for (const name of ["l4", "http"]) await cluster.kubectl("rollout", "status", `deployment/${name}`);
});
afterAll(() => cluster?.stop());

const answering = async (name: string) => {
  const url = await cluster.url(name);
  await eventually(`${name} answers`, async () => (await fetch(url)).ok);
  return url;
};

describe("at L4", () => {
  test("no new connection fails while a Deployment is rolled again and again", async () => {
    const traffic = sendOpenLoop(await answering("l4"), { fresh: 300 });
    for (let round = 0; round < 5 || traffic.counts.sent < 1_000; round++) {
      // not `rollout restart`, which refuses a second time within a second
      await cluster.kubectl("set", "env", "deployment/l4", `ROUND=${round}`);
      await cluster.kubectl("rollout", "status", "deployment/l4");
    }
    expect((await traffic.stop()).failures).toEqual({});
  });
});

describe("in HTTP mode", () => {
  test("no request fails, over new or kept-alive connections, while a Deployment is rolled again and again", async () => {
    const url = await answering("http");
    const reads = sendOpenLoop(url, { fresh: 100, kept: 100 });
    const writes = sendOpenLoop(url, { kept: 50, method: "POST", body: "x" });
    for (let round = 0; round < 4 || reads.counts.answered < 1_000; round++) {
      await cluster.kubectl("set", "env", "deployment/http", `ROUND=${round}`);
      await cluster.kubectl("rollout", "status", "deployment/http");
    }
    for (const replicas of [1, 6, 2, 4]) {
      await cluster.kubectl("scale", "deployment/http", `--replicas=${replicas}`);
      await cluster.kubectl("rollout", "status", "deployment/http");
    }
    const [read, written] = await Promise.all([reads.stop(), writes.stop()]);
    expect(read.failures).toEqual({});
    // What the endpoints themselves say to a POST: every one has reached one of them.
    expect(written.failures).toEqual({ "HTTP 405": written.sent });
  });

  test("no request that may be repeated fails while serving pods are killed", async () => {
    const url = await answering("http");
    const traffic = sendOpenLoop(url, { fresh: 60, kept: 60 });
    for (let round = 0; round < 5 || traffic.counts.answered < 300; round++) {
      const [pod] = (await cluster.pods()).filter(({ name }) => name.startsWith("http-"));
      for (const { pid } of pod?.containers ?? []) process.kill(pid, "SIGKILL");
      await eventually("all four are ready again", async () => {
        const ready = await cluster.kubectl(
          "get",
          "deployment",
          "http",
          "-o",
          "jsonpath={.status.readyReplicas}",
        );
        return (
          (await cluster.pods()).every(
            (each) => each.name !== pod?.name || each.containers[0]?.pid !== pod.containers[0]?.pid,
          ) && ready === "4"
        );
      });
    }
    expect((await traffic.stop()).failures).toEqual({});
  });
});

describe("an Ingress", () => {
  interface IngressView {
    name: string;
    type: string;
    urls: { host: string[] };
  }
  const viewOf = (name: string) =>
    eventually(`Ingress ${name} has a URL`, async () => {
      const all = JSON.parse(await cluster.kubemu("services", "-o", "json")) as IngressView[];
      return all.find((view) => view.type === "Ingress" && view.name === name && view.urls.host.length > 0);
    });
  /** Asks as curl does with `-H Host:` and `-k`. */
  const ask = (
    url: string,
    host: string,
  ): Promise<{ status: number | undefined; body: string; subject?: unknown }> =>
    new Promise((resolve, reject) => {
      const options = {
        headers: { host },
        agent: false as const,
        rejectUnauthorized: false,
        servername: host,
      };
      const onAnswer = (response: IncomingMessage) => {
        let body = "";
        const socket = response.socket as TLSSocket;
        const subject = socket.encrypted ? socket.getPeerCertificate().subject?.CN : undefined;
        response.on("data", (data) => {
          body += data;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode, body, ...(subject ? { subject } : {}) }),
        );
      };
      (url.startsWith("https") ? https.get(url, options, onAnswer) : http.get(url, options, onAnswer)).on(
        "error",
        reject,
      );
    });

  test("gets the default class and an address, and answers by host and path", async () => {
    await answering("http");
    await cluster.kubectl(
      "create",
      "ingress",
      "site",
      "--rule=shop.example/*=http:http",
      "--rule=shop.example/l4=l4:8080",
    );
    expect(await cluster.kubectl("get", "ingressclass")).toMatch(/^kubemu +kubemu.dev\/ingress +<none> /m);
    const { urls } = await viewOf("site");
    const url = urls.host[0] as string;
    await eventually("it answers", async () => (await ask(url, "shop.example")).status === 200);
    expect(await ask(url, "other.example")).toEqual({ status: 404, body: "default backend - 404\n" });
    expect(await cluster.kubectl("get", "ingress", "site", "--no-headers")).toMatch(
      new RegExp(
        `^site +kubemu +shop.example +${new URL(url).hostname.slice(0, 13).replaceAll(".", "\\.")}\\S* +80 `,
      ),
    );
    expect(await cluster.kubectl("describe", "ingress", "site")).toMatch(/Normal +Sync .*Scheduled for sync/);
    // No request fails when the Service behind it is rolled.
    const traffic = sendOpenLoop(url, { kept: 50, fresh: 50, host: "shop.example" });
    await cluster.kubectl("set", "env", "deployment/http", "ROUND=ingress");
    await cluster.kubectl("rollout", "status", "deployment/http");
    expect((await traffic.stop()).failures).toEqual({});
  });

  test("ends TLS with the certificate of its Secret, and follows the Secret", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kubemu-tls-"));
    const secret = async (name: string) => {
      const files = [join(folder, `${name}.key`), join(folder, `${name}.crt`)] as const;
      const subject = ["-subj", `/CN=${name}`, "-days", "2", "-keyout", files[0], "-out", files[1]];
      await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject]);
      const { stdout } = await cluster.tryKubectl([
        ...["create", "secret", "tls", "shop", `--key=${files[0]}`, `--cert=${files[1]}`],
        ...["--dry-run=client", "-o", "yaml"],
      ]);
      await cluster.apply(stdout);
    };
    await secret("first");
    await cluster.kubectl(
      "create",
      "ingress",
      "secure",
      "--class=kubemu",
      "--rule=secure.example/*=http:http,tls=shop",
    );
    const { urls } = await viewOf("secure");
    const url = urls.host[0] as string;
    expect(url).toMatch(/^https:/);
    const subject = async () => (await ask(url, "secure.example")).subject;
    await eventually("it answers with its certificate", async () => (await subject()) === "first");
    await secret("second");
    await eventually("the new certificate is used", async () => (await subject()) === "second");
    rmSync(folder, { recursive: true });
  });
});

test("kubemu traffic shows the sums, each request as it ends, and metrics", async () => {
  const url = await answering("http");
  const sums = await cluster.kubemu("traffic", "http");
  expect(sums).toMatch(
    /^SERVICE +PROTOCOL +ENDED +FAILED +P50 +P99 +FAILURES\ndefault\/http +http +\d+ +\d+ +≤ [\d.]+ ms /,
  );
  const args = ["traffic", "http", "-f", "-o", "json", "--name", cluster.name, "--data-dir", cluster.dataDir];
  const child = spawn(process.execPath, [KUBEMU, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const records: TrafficRecord[] = [];
    createInterface({ input: child.stdout }).on("line", (line) =>
      records.push(JSON.parse(line) as TrafficRecord),
    );
    const record = await eventually("a request is shown", async () => {
      await (await fetch(`${url}/shown?secret=1`)).text();
      return records.find(({ path }) => path === "/shown");
    });
    expect(record).toMatchObject({ service: "default/http", protocol: "http", method: "GET", outcome: "ok" });
    expect(record.pod).toMatch(/^http-/);
    expect(record.node).toMatch(/^node-/);
    expect(record.pod).toContain(`http-${record.revision}-`);
  } finally {
    child.kill();
  }
  const address = await cluster.kubectl("get", "proxyworker", "proxy-0", "-o", "jsonpath={.status.address}");
  expect(await (await fetch(`http://${address}/metrics`)).text()).toContain(
    "# TYPE kubemu_proxy_handled_total counter",
  );
});

describe("a Fault", () => {
  const timed = async (url: string) => {
    const startedAt = performance.now();
    await (await fetch(url, { headers: { connection: "close" } })).text();
    return performance.now() - startedAt;
  };

  test("slows a Service down for as long as it exists, and kubectl shows it", async () => {
    const url = await answering("l4");
    await cluster.apply(
      "apiVersion: kubemu.dev/v1alpha1\nkind: Fault\nmetadata: {name: slow}\nspec: {service: l4, latency: 150ms, loss: 0.0}",
    );
    expect(await cluster.kubectl("get", "faults", "--no-headers")).toMatch(
      /^slow +service\/default\/l4 +latency 150ms +\d+s$/m,
    );
    // The connect, the request and the answer are late.
    await eventually("requests are late", async () => (await timed(url)) > 440);
    await cluster.kubectl("delete", "fault", "slow");
    await eventually("requests are prompt again", async () => (await timed(url)) < 140);
  });

  test("that makes no sense is refused with what is wrong", async () => {
    const refused = await cluster.tryKubectl(["apply", "-f", "-"], {
      input:
        "apiVersion: kubemu.dev/v1alpha1\nkind: Fault\nmetadata: {name: bad}\nspec: {latency: soon, loss: 2}",
    });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      'spec.latency: Invalid value: "soon": must be a duration such as 50ms or 1.5s',
    );
    expect(refused.stderr).toContain("spec.loss: Invalid value: 2: must be between 0 and 1, inclusive");
  });
});

describe("how a Service is balanced", () => {
  test("follows its annotations, and one that cannot be read is answered with a Warning", async () => {
    const url = await answering("l4");
    const pods = async () => {
      const all = new Set<string | null>();
      for (let index = 0; index < 12; index++)
        all.add((await fetch(url, { headers: { connection: "close" } })).headers.get("x-pod-name"));
      return all.size;
    };
    await eventually("every pod answers in turn", async () => (await pods()) === 4);
    await cluster.kubectl("annotate", "service", "l4", "kubemu.dev/balance=source-address");
    await eventually("one pod answers this client", async () => (await pods()) === 1);
    const { stderr } = await cluster.tryKubectl([
      "annotate",
      "--overwrite",
      "service",
      "l4",
      "kubemu.dev/balance=fair",
    ]);
    expect(stderr).toMatch(
      /^Warning: metadata.annotations\[kubemu.dev\/balance\]: "fair" is ignored; allowed: round-robin,/m,
    );
    await eventually("in turn again", async () => (await pods()) === 4);
  });
});
