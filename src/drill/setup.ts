// Before the first request: the namespace, the manifests, everything Ready and answering. After the last: away with what the drill has made.
import { request } from "node:http";
import type { Namespace, Service, ServicePort } from "../api/generated/types.ts";
import { namespaces } from "../api/kinds/namespace.ts";
import { services } from "../api/kinds/service.ts";
import type { KubeObject } from "../api/object.ts";
import { publishedPortsOf } from "../api/published-ports.ts";
import { hasReason } from "../api/status-error.ts";
import { systemClock } from "../base/clock.ts";
import { awaitObject } from "../client/await-object.ts";
import type { Client } from "../client/client.ts";
import { type DrillCluster, insist } from "./cluster.ts";
import type { Drill, Traffic } from "./drill.ts";
import type { Observer } from "./observe/observe.ts";
import { isComplete } from "./observe/world.ts";
import { applyObjects } from "./steps/objects.ts";
import type { StreamSettings } from "./traffic/protocol.ts";

export interface Prepared {
  /** Removes what was made here; nothing else. */
  remove(): Promise<void>;
}

const REMOVED_WITHIN_MS = 60_000;
const POLL_MS = 20;

export async function prepare(
  cluster: DrillCluster,
  { namespace, objects }: { readonly namespace: string; readonly objects: readonly KubeObject[] },
): Promise<Prepared> {
  const { client } = cluster;
  const hadNamespace = await ensureNamespace(client, namespace);
  const made: KubeObject[] = [];
  const prepared: Prepared = {
    async remove() {
      const outside = hadNamespace ? made : made.filter((each) => each.metadata.namespace !== namespace);
      for (const { apiVersion = "", kind = "", metadata } of outside)
        await remove(client, cluster.byKind(apiVersion, kind), metadata);
      if (!hadNamespace) await remove(client, namespaces, { name: namespace });
      const gone = { decide: (found: unknown) => (found ? undefined : true) };
      if (!hadNamespace)
        await awaitObject(
          client,
          namespaces,
          { name: namespace },
          {
            ...gone,
            signal: AbortSignal.timeout(REMOVED_WITHIN_MS),
          },
        );
    },
  };
  try {
    for (const object of objects) made.push(...(await applyObjects(cluster, [object], namespace)));
  } catch (error) {
    await prepared.remove();
    throw error;
  }
  return prepared;
}

async function remove(
  client: Client,
  resource: Parameters<Client["delete"]>[0],
  at: { namespace?: string | undefined; name: string },
): Promise<void> {
  await insist(async () => {
    try {
      await client.delete(resource, at, { propagationPolicy: "Background" });
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
  });
}

/** Whether it was there. One that is just ending is waited for. */
async function ensureNamespace(client: Client, name: string): Promise<boolean> {
  const found = await client.find<Namespace>(namespaces, { name });
  if (found && !found.metadata.deletionTimestamp) return true;
  if (found) {
    const isGone = await awaitObject<Namespace, true>(
      client,
      namespaces,
      { name },
      {
        decide: (now) => (now ? undefined : true),
        signal: AbortSignal.timeout(REMOVED_WITHIN_MS),
      },
    );
    if (!isGone) throw new Error(`the namespace ${name} does not end`);
  }
  await client.create(namespaces, { metadata: { name } });
  return false;
}

export interface Target {
  readonly namespace: string;
  readonly service: Service;
  readonly port: ServicePort;
}

/** The Service and port of each traffic. Throws with the field of the drill where there is none. */
export async function findTargets(client: Client, drill: Drill): Promise<Target[]> {
  return Promise.all(
    drill.traffic.map(async ({ service: name, namespace = drill.namespace, port: wanted }, index) => {
      const field = `spec.traffic[${index}]`;
      const service = await client.find<Service>(services, { namespace, name });
      if (!service) {
        const { items } = await client.list<Service>(services, { namespace });
        const there = items.map(({ metadata }) => metadata.name).join(", ") || "none";
        throw new Error(
          `${field}.service: there is no Service ${JSON.stringify(name)} in the namespace ${namespace}; there is ${there}`,
        );
      }
      const ports = (service.spec.ports ?? []).filter(({ protocol = "TCP" }) => protocol === "TCP");
      const port = ports.find((each) => wanted === undefined || each.name === wanted || each.port === wanted);
      if (!port)
        throw new Error(
          `${field}.port: the Service ${name} has no TCP port ${JSON.stringify(wanted) ?? ""}; it has ${ports.map((each) => each.name ?? each.port).join(", ") || "none"}`,
        );
      return { namespace, service, port };
    }),
  );
}

/** Resolves once the workloads are complete and every target answers, with where each is; throws with what is missing. */
export async function awaitReady(
  client: Client,
  {
    drill,
    targets,
    observer,
    signal,
  }: {
    readonly drill: Drill;
    readonly targets: readonly Target[];
    readonly observer: Observer;
    readonly signal: AbortSignal;
  },
): Promise<StreamSettings[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(drill.setup.ready)]);
  const isReady = await observer.until(() => isComplete(observer.world()), limit);
  if (!isReady && !signal.aborted)
    throw new Error(`the workloads were not Ready within ${drill.setup.ready / 1_000} s`);
  const found: StreamSettings[] = [];
  for (const [index, target] of targets.entries()) {
    const traffic = drill.traffic[index] as Traffic;
    let url = await urlOf(client, target, traffic.path);
    while (!signal.aborted && !(url && (await answers(url)))) {
      if (limit.aborted)
        throw new Error(
          `the Service ${traffic.service} did not answer${url ? ` at ${url}` : ""} within ${drill.setup.ready / 1_000} s`,
        );
      await systemClock.sleep(POLL_MS, limit);
      url = await urlOf(client, target, traffic.path);
    }
    found.push({ ...traffic, url: url ?? "" });
  }
  return found;
}

/** Where the port can be reached from this machine; undefined while that has not been settled. */
async function urlOf(client: Client, { namespace, service, port }: Target, path: string) {
  const now = await client.get<Service>(services, { namespace, name: service.metadata.name });
  const stand = publishedPortsOf(now)[`${port.port}/TCP`];
  const address = now.spec.clusterIP;
  const place = stand ?? (address && address !== "None" ? { host: address, port: port.port } : undefined);
  if (!place) return undefined;
  const isSecure = port.appProtocol === "https" || port.name === "https" || port.port === 443;
  return `${isSecure ? "https" : "http"}://${place.host}:${place.port}${path}`;
}

/** Any answer will do: what counts as served is the traffic's matter. */
const answers = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const asked = request(url.replace(/^https:/, "http:"), { agent: false, timeout: 1_000 }, (response) => {
      response.destroy();
      resolve(true);
    });
    asked.once("timeout", () => asked.destroy());
    // A TLS port hangs up on plain text: it is there.
    asked.once("error", () => resolve(url.startsWith("https:")));
    asked.end();
  });
