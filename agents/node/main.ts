// dist/node-agent.js: one node of the cluster, as a process of its own. Ends with its supervisor: when the IPC channel
// closes, its containers are killed at once and it exits.
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/base/clock.ts";
import { createLineLog } from "../../src/base/line-log.ts";
import { createClient } from "../../src/client/create-client.ts";
import { readLocalAccess } from "../../src/client/credentials.ts";
import { createLink } from "../../src/client/link.ts";
import { createLocalTransport } from "../../src/client/local-transport.ts";
import {
  API_IS_GONE,
  linkMessage,
  type NodeAgentSettings,
  parseSettings,
} from "../../src/process/settings.ts";
import { type NodeAgent, startNodeAgent } from "./agent.ts";

// The kubelet's shutdownGracePeriod is an operator's choice; a laptop's `down` should not take longer than this.
const SHUTDOWN_GRACE_MS = 5_000;
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const beside = (file: string) => fileURLToPath(new URL(`./${file}`, import.meta.url));

async function main(): Promise<void> {
  const settings = parseSettings<NodeAgentSettings>(process.argv);
  const log = createLineLog({ node: settings.node });
  let agent: NodeAgent | undefined;
  const link = createLink();
  let isStopping = false;
  // When the whole cluster is stopped the control plane goes first: then there is nobody left to tell.
  let apiIsGone = false;
  process.on("message", (message) => {
    if (message === API_IS_GONE) apiIsGone = true;
    const wanted = linkMessage(message);
    if (!wanted) return;
    if (wanted.link === "cut") link.cut();
    else link.heal();
    process.send?.(wanted);
  });
  process.on("disconnect", () => {
    agent?.killAll();
    process.exit(0);
  });
  const stop = () => {
    if (isStopping) return;
    isStopping = true;
    void (async () => {
      await agent?.stop(SHUTDOWN_GRACE_MS, { apiIsGone }).catch((error: unknown) => {
        log.error({ error: String(error) }, "node not stopped cleanly");
        agent?.killAll();
      });
      process.exit(0);
    })();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  const transport = createLocalTransport({
    ...readLocalAccess(settings.dataDir, `node-${settings.node}`, settings.apiSocket),
    awaitServer: true,
    link,
  });
  agent = await startNodeAgent({
    settings,
    client: createClient(transport, { userAgent: "kubelet" }),
    clock: systemClock,
    log,
    searchPath: process.env["PATH"] ?? DEFAULT_PATH,
    containerProgram: beside("container.js"),
    toolsProgram: beside("tools.js"),
    preload: beside("preload.js"),
  });
  process.send?.({ ready: true });
}

main().catch((error: unknown) => {
  process.stderr.write(
    `node agent: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
});
