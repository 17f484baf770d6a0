// A proxy worker without an API: listens where its first message says and answers every connection with its pid.
import { sharedSockets } from "../../../../agents/proxy/open-socket.ts";

const sockets = sharedSockets({
  send: (message) => process.send?.(message),
  onMessage: (listener) => process.on("message", listener),
});
process.on("disconnect", () => process.exit(0));
process.on("message", async (message) => {
  if (typeof message !== "object" || message === null || !("listen" in message)) return;
  const place = message.listen as { key: string; host: string; port: number };
  try {
    const open = await sockets.open(place, (socket) => socket.end(String(process.pid)));
    process.on("message", (next) => next === "giveUp" && open.giveUp());
    process.send?.({ ready: true });
  } catch (error) {
    process.send?.({ failed: (error as NodeJS.ErrnoException).code });
  }
});
process.send?.({ up: true });
