import { ingresses } from "../../api/kinds/ingress.ts";
import { nodes } from "../../api/kinds/node.ts";
import { services as serviceResource } from "../../api/kinds/service.ts";
import type { Client } from "../../client/client.ts";
import { findLowestPort } from "../../supervisor/addresses.ts";
import { readCluster } from "../../supervisor/state.ts";
import type { Invocation } from "../command.ts";
import { print, withClient } from "../connect.ts";
import { type ServiceView, viewIngress, viewService } from "../service-urls.ts";
import { formatTable } from "../table.ts";

export async function services(invocation: Invocation): Promise<number> {
  const views = await withClient(invocation, (client) => viewServices(client, invocation.dataDir));
  print(invocation, views, (all) =>
    formatTable([
      ["NAMESPACE", "SERVICE", "TYPE", "URL"],
      ...all.map(({ namespace, name, type, urls, hosts = [] }) => [
        namespace,
        name,
        type,
        `${urls.host[0] ?? urls.cluster[0] ?? "-"}${hosts.length > 0 ? ` (Host: ${hosts.join(", ")})` : ""}`,
      ]),
    ]),
  );
  return 0;
}

/** Every Service and every Ingress of the cluster with its URLs. */
export async function viewServices(client: Client, dataDir: string): Promise<ServiceView[]> {
  const [serviceList, ingressList, nodeList] = await Promise.all([
    client.list(serviceResource),
    client.list(ingresses),
    client.list(nodes),
  ]);
  const reach = {
    nodes: nodeList.items,
    lowestPort: findLowestPort(),
    singleAddress: readCluster(dataDir)?.singleAddress ?? false,
  };
  return [
    ...serviceList.items.map((service) => viewService(service, reach)),
    ...ingressList.items.map(viewIngress),
  ];
}
