// What `kubemu up` prints when all is there: what runs, what to curl, and three things to try.
import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import pc from "picocolors";
import { createClient } from "../client/create-client.ts";
import type { ClusterOverview } from "../supervisor/state.ts";
import { type PodView, viewPod } from "./commands/pods.ts";
import { viewServices } from "./commands/services.ts";
import { connectLocally } from "./connect.ts";
import { locate } from "./locate.ts";
import { quoted } from "./quoted.ts";
import { servicesAnswer } from "./services-answer.ts";
import { formatTable } from "./table.ts";

// Longer than a pod with a readiness probe usually takes.
const SERVICE_PATIENCE_MS = 10_000;

export async function summary(cluster: ClusterOverview, folders: readonly string[]): Promise<string> {
  const transport = connectLocally(cluster.dataDir);
  try {
    const client = createClient(transport);
    const { pods } = await import("../api/kinds/pod.ts");
    await servicesAnswer(client, SERVICE_PATIENCE_MS);
    const [services, podList] = await Promise.all([viewServices(client, cluster.dataDir), client.list(pods)]);
    const shown = services.filter(
      ({ namespace, name, urls }) =>
        urls.host.length > 0 &&
        namespace !== "kube-system" &&
        !(namespace === "default" && name === "kubernetes"),
    );
    const nodes = formatTable(
      cluster.nodes.map(({ name, pid, address }) => [`  ${name}`, `pid ${pid}`, address]),
    );
    const urls = formatTable(
      shown.map(({ namespace, name, urls: { host } }) => [
        `  ${namespace}/${name}`,
        isUrl(host[0]) ? `curl ${host[0]}` : `${host[0]}`,
      ]),
    );
    return [
      pc.green(`cluster ${cluster.name} is up`),
      pc.bold("nodes"),
      nodes.trimEnd(),
      ...(shown.length > 0 ? [pc.bold("services"), urls.trimEnd()] : []),
      `${pc.bold("kubeconfig")}  ${cluster.kubeconfig}`,
      ...proxyNote(cluster),
      ...folders.map((folder) => `${pc.bold("watched")}  ${folder}`),
      "",
      ...toTry(cluster, folders, podList.items.map(viewPod)),
    ].join("\n");
  } finally {
    transport.close();
  }
}

/** Not of a port that speaks something else than HTTP. */
const isUrl = (place = ""): boolean => /^https?:/.test(place);

/** Nothing where it is as ever. */
function proxyNote({ proxy: { mode, note } }: ClusterOverview): string[] {
  if (mode === "userspace" && !note) return [];
  return [`${pc.bold("proxy")}  ${[mode, note].filter(Boolean).join(": ")}`];
}

function toTry(cluster: ClusterOverview, folders: readonly string[], pods: readonly PodView[]): string[] {
  const name = asGiven(cluster);
  const pod = pods.find(({ containers }) => containers[0]?.pid);
  const node = pod?.node ?? cluster.nodes.at(-1)?.name ?? "node-1";
  return [
    pc.bold("try"),
    `  edit a manifest   ${folders[0] ? `${folders[0]}: what you save is applied` : "kubectl apply -f FILE"}`,
    `  kill a pod        ${pod ? `kill -9 ${pod.containers[0]?.pid}` : `npx kubemu pods${name}`}   then: kubectl get pods`,
    `  kill a node       npx kubemu node kill ${node}${name}   then: kubectl get nodes,pods -o wide`,
    pc.dim("Ctrl-C stops everything."),
  ];
}

/** The option by which a command finds this cluster; none where it is the usual one. */
function asGiven({ name, dataDir }: ClusterOverview): string {
  if (dataDir !== usualDataDir(name)) return ` --data-dir ${quoted(dataDir)}`;
  return name === "kubemu" ? "" : ` --name ${name}`;
}

function usualDataDir(name: string): string | undefined {
  try {
    return realpathSync(locate({ name }, { env: process.env, home: homedir }).dataDir);
  } catch {
    // There is no such folder, or no home to look in.
    return undefined;
  }
}
