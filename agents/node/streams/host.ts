// What the node's HTTPS server asks of the node agent. The agent (agents/node/) owns pods, processes and log files; this
// folder owns protocols: it never spawns a process and never looks for one.
import type { Readable, Writable } from "node:stream";
import type { Pod } from "../../../src/api/generated/types.ts";

export interface NodeHost {
  /** The pod as it is now on this node, its status included; undefined where the node has no such pod. */
  pod(namespace: string, name: string): Readonly<Pod> | undefined;
  /**
   * The log of one run of a container (init and ephemeral containers too): the newest run that has begun (it may have ended),
   * or with `previous` the one before that. Undefined where there was no such run, or its log is gone.
   */
  log(pod: Readonly<Pod>, container: string, previous: boolean): ContainerLog | undefined;
  /**
   * Starts `command` in the container's environment, working directory and process marking (KUBEMU_POD …), in a process
   * group of its own. Rejects with the spawn's error (code ENOENT, EACCES …) where it cannot be started.
   */
  exec(pod: Readonly<Pod>, container: string, command: ExecCommand): Promise<ExecProcess>;
  /**
   * The running container's own streams; undefined where it is not running. One with `stdin: true` that has ended before
   * anybody attached can still be attached to, once.
   */
  attach(pod: Readonly<Pod>, container: string): AttachedContainer | undefined;
  /** Where the pod's process listens for what the pod calls `port` (the port map applied); undefined once the node has the pod no more. */
  portAddress(pod: Readonly<Pod>, port: number): { readonly host: string; readonly port: number } | undefined;
  /** What the node and its containers use now; the rate of CPU is derived by whoever reads it twice. */
  usage(): Promise<NodeUsage>;
}

/**
 * A log file in the format of the container runtime interface, one entry a line:
 * `2026-01-02T03:04:05.678901234Z stdout F text`, P in place of F where the text goes on in the stream's next entry.
 * Entries are appended whole (one write each, or several whole ones); a file is never rewritten while it is open.
 */
export interface ContainerLog {
  readonly path: string;
  /** Resolves once that run has ended and its last entry is written; already resolved for an earlier run. */
  readonly ended: Promise<void>;
}

export interface ExecCommand {
  /** Program and arguments; no shell is added. */
  readonly argv: readonly string[];
  /** False: standard input is /dev/null. */
  readonly stdin: boolean;
  /** In a terminal of its own, where the node can make one: `stdout` has all it shows. */
  readonly tty?: boolean;
}

export interface ExecProcess {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the process has ended and its outputs are closed. */
  readonly exited: Promise<ExitResult>;
  /** SIGKILL to the process group; harmless once it has ended. */
  kill(): void;
  /** Present where it has a terminal. */
  readonly resize?: Resize | undefined;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}
export type Resize = (size: TerminalSize) => void;

export interface ExitResult {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Closing an attachment leaves the container as it is. */
export interface AttachedContainer {
  /** Undefined unless the container has `stdin: true`. */
  readonly stdin: Writable | undefined;
  /**
   * Calls the listener with each chunk the container writes from now on, and the first listener of a container with
   * `stdin: true` also with what it wrote before; returns the way to stop. While a promise that the listener has returned is open the
   * container's output is not read, and the container waits, as with containerd.
   */
  onOutput(listener: (stream: "stdout" | "stderr", chunk: Buffer) => Promise<void> | undefined): () => void;
  /** Resolves when the process has ended and all its output has been given to the listeners. */
  readonly ended: Promise<void>;
  /** Present where the container has a terminal. */
  readonly resize?: Resize | undefined;
}

/** CPU in seconds since the process started, memory in bytes. */
export interface NodeUsage {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly containers: readonly ContainerUsage[];
}

export interface ContainerUsage {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}
