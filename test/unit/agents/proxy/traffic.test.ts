import { expect, test } from "vitest";
import { createTraffic, prometheusText } from "../../../../agents/proxy/traffic.ts";
import { startTrafficServer } from "../../../../agents/proxy/traffic-server.ts";
import { addSums, percentileMs, type TrafficRecord } from "../../../../src/api/traffic.ts";

const end = (outcome: "ok" | "died", durationMs: number, service = "default/web") => ({
  service,
  protocol: "http" as const,
  outcome,
  durationMs,
  details: () => ({ client: "127.0.0.1", bytesIn: 1, bytesOut: 2 }),
});

test("counts by outcome and latency, and makes records only for those who follow", () => {
  const traffic = createTraffic(() => Date.UTC(2026, 0, 2));
  let made = 0;
  const details = () => {
    made++;
    return { client: "c", bytesIn: 0, bytesOut: 0 };
  };
  traffic.ended({ ...end("ok", 0.4), details });
  expect(made).toBe(0);
  const seen: TrafficRecord[] = [];
  const stop = traffic.follow((record) => seen.push(record));
  traffic.ended({ ...end("died", 20_000), details });
  stop();
  traffic.ended({ ...end("ok", 3), details });
  expect([made, seen]).toEqual([
    1,
    [
      {
        time: "2026-01-02T00:00:00.000Z",
        service: "default/web",
        protocol: "http",
        outcome: "died",
        client: "c",
        bytesIn: 0,
        bytesOut: 0,
        durationMs: 20_000,
      },
    ],
  ]);
  const [sums] = traffic.sums();
  expect(sums?.outcomes).toEqual({ ok: 2, died: 1 });
  expect(sums && [0.3, 0.6, 1].map((share) => percentileMs(sums, share))).toEqual([
    1,
    5,
    Number.POSITIVE_INFINITY,
  ]);
  expect(prometheusText(traffic.sums()).split("\n")).toEqual(
    expect.arrayContaining([
      'kubemu_proxy_handled_total{namespace="default",service="web",protocol="http",outcome="ok"} 2',
      'kubemu_proxy_duration_seconds_bucket{namespace="default",service="web",protocol="http",le="0.001"} 1',
      'kubemu_proxy_duration_seconds_bucket{namespace="default",service="web",protocol="http",le="10"} 2',
      'kubemu_proxy_duration_seconds_bucket{namespace="default",service="web",protocol="http",le="+Inf"} 3',
      'kubemu_proxy_duration_seconds_count{namespace="default",service="web",protocol="http"} 3',
    ]),
  );
});

test("sums of several workers are one", () => {
  const [one, two] = [createTraffic(Date.now), createTraffic(Date.now)];
  one.ended(end("ok", 1));
  two.ended(end("ok", 1));
  two.ended(end("died", 30));
  two.ended(end("ok", 1, "default/api"));
  const all = addSums([...one.sums(), ...two.sums()]);
  expect(all.map(({ service, outcomes }) => [service, outcomes])).toEqual([
    ["default/api", { ok: 1 }],
    ["default/web", { ok: 2, died: 1 }],
  ]);
  expect(all[1]?.latencies.reduce((sum, count) => sum + count, 0)).toBe(3);
});

test("is served on loopback: metrics, sums, and the records of one Service as they come", async () => {
  const traffic = createTraffic(Date.now);
  const server = await startTrafficServer(traffic);
  try {
    const response = await fetch(`http://${server.address}/follow?service=default/web`);
    traffic.ended(end("ok", 1, "default/other"));
    traffic.ended(end("died", 2));
    const { value } = await (response.body as ReadableStream<Uint8Array>).getReader().read();
    expect(JSON.parse(Buffer.from(value ?? []).toString())).toMatchObject({
      service: "default/web",
      outcome: "died",
    });
    expect(await (await fetch(`http://${server.address}/metrics`)).text()).toContain('service="other"');
    expect(await (await fetch(`http://${server.address}/sums`)).json()).toHaveLength(2);
    expect((await fetch(`http://${server.address}/`)).status).toBe(404);
  } finally {
    server.stop();
  }
});
