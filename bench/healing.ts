// How long a running cluster takes to deploy, to replace a pod, and to restart a killed container.

import type { Deployment, Pod } from "../src/api/generated/types.ts";
import { deployments } from "../src/api/kinds/deployment.ts";
import { pods } from "../src/api/kinds/pod.ts";
import type { Draft } from "../src/api/object.ts";
import { startCluster } from "../test/cluster/harness.ts";
import { isReady, killAndAwaitAnswer, whenPods } from "./cluster.ts";
import { type Figure, figure, median, nodeStartMs, type Scenario } from "./figure.ts";

const RUNS = 9;

const web = (name: string, replicas: number): Draft<Deployment> => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace: "default" },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "nginx", image: "nginx", ports: [{ containerPort: 80 }] }] },
    },
  },
});

export const healing: Scenario = {
  name: "healing",
  async run(): Promise<Figure[]> {
    const cluster = await startCluster();
    try {
      const client = cluster.client();
      const floor = await nodeStartMs();
      const settle = () => new Promise((next) => setTimeout(next, 1500));
      const deployed: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        await settle();
        const name = `deploy-${run}`;
        const ready = whenPods(client, `app=${name}`, (list) => list.filter(isReady).length === 3);
        const began = performance.now();
        await client.create(deployments, web(name, 3));
        deployed.push((await ready) - began);
        if (run < RUNS - 1) {
          await client.delete(deployments, { namespace: "default", name });
          await whenPods(client, `app=${name}`, (list) => list.length === 0);
        }
      }
      const selector = `app=deploy-${RUNS - 1}`;
      const all = async () =>
        (await client.list(pods, { namespace: "default", labelSelector: selector })).items as Pod[];

      const replaced: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        await settle();
        const victim = (await all()).find(isReady)!.metadata.name;
        const began = performance.now();
        await client.delete(pods, { namespace: "default", name: victim });
        replaced.push(
          (await whenPods(
            client,
            selector,
            (list) => list.filter((pod) => isReady(pod) && pod.metadata.name !== victim).length === 3,
          )) - began,
        );
      }

      const answered: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        await settle();
        // A pod that has not been killed yet, so that back-off plays no part.
        const victim = (await all()).find(
          (pod) => isReady(pod) && pod.status?.containerStatuses?.[0]?.restartCount === 0,
        );
        if (!victim) break;
        answered.push(await killAndAwaitAnswer(victim));
      }
      client.transport.close();
      return [
        figure("Deployment of 3 applied, all Ready", median(deployed), "ms", { floor, most: 3 }),
        figure("pod deleted, replacement Ready", median(replaced), "ms", { floor, most: 2 }),
        figure("container killed, answering again", median(answered), "ms", {
          floor,
          most: 2,
          note: `${answered.length} kills`,
        }),
      ];
    } finally {
      await cluster.stop();
    }
  },
};
