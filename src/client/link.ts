// The way from one process to the API server, which can be cut: what a partitioned machine has. Uncut it costs a look at a boolean.
import type { ClientRequest } from "node:http";

export interface Link {
  /** Ends every connection and lets no new one be made. */
  cut(): void;
  heal(): void;
  /** Fails the request at once while the link is cut, and later if it is cut before the answer is in. */
  carry(request: ClientRequest): void;
}

export function createLink(): Link {
  const open = new Set<ClientRequest>();
  let isCut = false;
  const unreachable = () =>
    Object.assign(new Error("the API server cannot be reached: the node is partitioned"), {
      code: "ENETUNREACH",
    });
  return {
    cut() {
      isCut = true;
      for (const request of open) request.destroy(unreachable());
    },
    heal() {
      isCut = false;
    },
    carry(request) {
      if (isCut) return void request.destroy(unreachable());
      open.add(request);
      request.once("close", () => open.delete(request));
    },
  };
}
