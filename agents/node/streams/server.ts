import type { Log } from "../../../src/base/log.ts";
import type { NodeHost } from "./host.ts";

export interface NodeServerOptions {
  readonly settings: {
    readonly dataDir: string;
    readonly slot: number;
    readonly index: number;
    readonly singleAddress: boolean;
  };
  readonly host: NodeHost;
  readonly log: Log;
}

/** `port` goes to Node.status.daemonEndpoints.kubeletEndpoint.Port. Listens on the node's address (127.S.i.1, or 127.0.0.1). */
export interface NodeServer {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startNodeServer(_options: NodeServerOptions): Promise<NodeServer> {
  throw new Error("not yet");
}
