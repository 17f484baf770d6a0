// What a node agent and a built-in container tell each other over IPC. A container process is started empty (the warm
// pool) and becomes a container when it hears its assignment; the agent hears once when it listens.

/** Everything that makes an empty process one pod's container. */
export interface Assignment {
  /** A name in programs.ts. */
  readonly program: string;
  /** What stands after the program's name on the image's command line. */
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The address to listen on. */
  readonly host: string;
  /** The container ports that the manifest declares, in its order. */
  readonly ports: readonly number[];
  /** Container port → the port to listen on, where they differ. */
  readonly portMap: Readonly<Record<string, number>>;
  readonly pod: string;
  readonly image: string;
  /** The image's tag, "latest" where it has none: becomes the version that a program reports. */
  readonly tag: string;
  /** `$KUBEMU_ROOT`: where the container's volumes are. */
  readonly root: string;
}

/** Container → agent: its sockets listen (or it needs none). */
export interface ListeningMessage {
  readonly listening: true;
}

export function isAssignment(message: unknown): message is Assignment {
  return typeof message === "object" && message !== null && "program" in message && "portMap" in message;
}

export function isListening(message: unknown): message is ListeningMessage {
  return typeof message === "object" && message !== null && "listening" in message;
}
