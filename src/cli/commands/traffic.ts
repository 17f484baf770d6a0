// What goes through a Service, as the proxy workers tell it: sums, or each connection and request as it ends.
import http from "node:http";
import { createInterface } from "node:readline";
import { pods } from "../../api/kinds/pod.ts";
import { proxyWorkers } from "../../api/kinds/proxy-worker.ts";
import { services } from "../../api/kinds/service.ts";
import { CONTROLLER_REVISION_HASH, POD_TEMPLATE_HASH } from "../../api/names.ts";
import { keyOf } from "../../api/object.ts";
import { hasReason } from "../../api/status-error.ts";
import { addSums, percentileMs, type TrafficRecord, type TrafficSums } from "../../api/traffic.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import type { Client } from "../../client/client.ts";
import { createInformers } from "../../client/informers.ts";
import { type Invocation, UsageError } from "../command.ts";
import { print, withClient } from "../connect.ts";
import { formatTable } from "../table.ts";

// A worker that was restarted tells where it is now.
const AGAIN_MS = 300;

export async function traffic(invocation: Invocation): Promise<number> {
  const [name] = invocation.arguments;
  const service = name === undefined || name.includes("/") ? name : `default/${name}`;
  return withClient(invocation, async (client) => {
    if (invocation.options["follow"]) {
      if (service !== undefined) await checkService(client, service);
      return follow(invocation, client, service);
    }
    const all = await Promise.all((await addressesOf(client)).map((address) => readSums(address)));
    const sums = addSums(all.flat()).filter((one) => service === undefined || one.service === service);
    // Of one that has been deleted there can be sums.
    if (service !== undefined && sums.length === 0) await checkService(client, service);
    print(invocation, sums, sumsText);
    return 0;
  });
}

/** Throws one line when there is no such Service (NAMESPACE/NAME). */
export async function checkService(client: Pick<Client, "get">, service: string): Promise<void> {
  const [namespace = "", name = "", ...more] = service.split("/");
  if (more.length > 0 || !namespace || !name)
    throw new UsageError(`traffic takes a Service as NAME or NAMESPACE/NAME, not ${JSON.stringify(service)}`);
  try {
    await client.get(services, { namespace, name });
  } catch (error) {
    if (!hasReason(error, "NotFound")) throw error;
    throw new Error(`there is no Service ${service}`, { cause: error });
  }
}

async function addressesOf(client: Client): Promise<string[]> {
  const { items } = await client.list(proxyWorkers);
  return items.flatMap(({ status }) => status?.address ?? []);
}

/** A worker that is just being replaced has nothing to say. */
async function readSums(address: string): Promise<TrafficSums[]> {
  try {
    return (await (await fetch(`http://${address}/sums`)).json()) as TrafficSums[];
  } catch {
    return [];
  }
}

function sumsText(all: readonly TrafficSums[]): string {
  const bound = (sums: TrafficSums, share: number) => {
    const value = percentileMs(sums, share);
    return value === undefined ? "-" : Number.isFinite(value) ? `≤ ${value} ms` : "> 10 s";
  };
  return formatTable([
    ["SERVICE", "PROTOCOL", "ENDED", "FAILED", "P50", "P99", "FAILURES"],
    ...all.map((sums) => {
      const { ok = 0, ...failures } = sums.outcomes;
      const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
      const why = Object.entries(failures).map(([outcome, count]) => `${outcome} ${count}`);
      return [
        sums.service,
        sums.protocol,
        String(ok + failed),
        String(failed),
        bound(sums, 0.5),
        bound(sums, 0.99),
        why.join(", ") || "-",
      ];
    }),
  ]);
}

async function follow(invocation: Invocation, client: Client, service: string | undefined): Promise<number> {
  const revisions = await followRevisions(client);
  const show = (line: string) => {
    const seen = JSON.parse(line) as TrafficRecord;
    const revision = revisions.get(`${seen.service.split("/")[0]}/${seen.pod}`);
    const record: TrafficRecord = revision === undefined ? seen : { ...seen, revision };
    process.stdout.write(
      invocation.options["output"] === "json" ? `${JSON.stringify(record)}\n` : recordText(record),
    );
  };
  const following = new Set<string>();
  for (;;) {
    for (const address of await addressesOf(client)) {
      if (following.has(address)) continue;
      following.add(address);
      followWorker(address, service, show, () => following.delete(address));
    }
    await systemClock.sleep(AGAIN_MS);
  }
}

const REVISION_LABELS = [POD_TEMPLATE_HASH, CONTROLLER_REVISION_HASH];

/** Of every pod that there is or has been since, by NAMESPACE/NAME: what is told of a request may be told after its pod has gone. */
async function followRevisions(client: Client): Promise<ReadonlyMap<string, string>> {
  const informers = createInformers(client, { log: silentLog });
  const revisions = new Map<string, string>();
  informers.of(pods).onChange((pod) => {
    const labels = pod?.metadata.labels ?? {};
    const label = REVISION_LABELS.find((each) => labels[each] !== undefined);
    if (pod && label) revisions.set(keyOf(pod), labels[label] ?? "");
  });
  await informers.synced();
  return revisions;
}

function followWorker(
  address: string,
  service: string | undefined,
  show: (line: string) => void,
  onEnd: () => void,
): void {
  const query = service === undefined ? "" : `?service=${encodeURIComponent(service)}`;
  const request = http.get(`http://${address}/follow${query}`, (response) => {
    createInterface({ input: response })
      .on("line", show)
      .on("error", () => {});
    response.on("error", () => {}).on("close", onEnd);
  });
  request.on("error", onEnd);
}

function recordText(record: TrafficRecord): string {
  const { time, service, protocol, outcome, reason, pod, endpoint, node, revision, method, path, status } =
    record;
  const of = revision === undefined ? "" : `of ${revision}`;
  const to = [pod ?? endpoint ?? "-", of, node && `on ${node}`].filter(Boolean).join(" ");
  const what =
    protocol === "http" ? `${method} ${path} ${status ?? "-"}` : `${record.bytesIn}+${record.bytesOut} bytes`;
  const failed = outcome === "ok" ? "" : ` ${outcome}${reason ? `: ${reason}` : ""}`;
  const tried = record.tried ? ` (tried ${record.tried.join(", ")})` : "";
  return `${time} ${service} → ${to} ${what} ${record.durationMs} ms${failed}${tried}\n`;
}
