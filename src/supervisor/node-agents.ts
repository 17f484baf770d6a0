// The cluster's machines: one agent process each. A dead agent is a lost machine: its containers are swept, the API is told, and it stays
// lost until somebody starts it. Every command on a node is here.
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { runForever } from "../base/run-forever.ts";
import type { Client } from "../client/client.ts";
import { isAlive } from "../process/identity.ts";
import { API_IS_GONE, type LinkMessage, linkMessage } from "../process/settings.ts";
import type { Program } from "../process/spawn.ts";
import { findMarked, type Markers, sweepMarked } from "../process/sweep.ts";
import { endProgram } from "./keep-running.ts";
import { awaitReady, markLost, removeNode } from "./node-api.ts";
import type { ClusterNode, NodeState } from "./state.ts";

// Longer than any grace period a pod is likely to have; a stop that takes longer is cut off.
const STOP_GRACE_MS = 35_000;
// Whoever kills a node and then looks at it sees it lost; while the control plane is away nobody can look, and nobody waits longer.
const TOLD_WITHIN_MS = 1_000;

export interface NodeAgentsOptions {
  readonly dataDir: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Whether the API is told of a lost machine (profile fast). Otherwise its lease has to grow old, as in Kubernetes. */
  readonly tellLost: boolean;
  /** Asked for when there is something to tell, and not by a start that goes well: the agent says by itself that it is Ready. */
  client(): Promise<Client>;
  start(node: ClusterNode): Program;
}

interface Machine {
  readonly node: ClusterNode;
  state: NodeState;
  /** Its way to the API is cut. */
  isPartitioned: boolean;
  program: Program | undefined;
  /** Ends what is still to be told to the API about an earlier life. */
  telling: AbortController;
  /** Resolves once nothing of an earlier life will be told any more. */
  told: Promise<void>;
  /** Resolves once the earlier life is over and swept: a sweep cannot tell it from the next one. */
  ended: Promise<void>;
}

export interface MachineView {
  readonly name: string;
  readonly index: number;
  readonly state: NodeState;
  readonly pid: number;
}

export interface NodeAgents {
  list(): readonly MachineView[];
  /** Starts a machine that is not running, after its last life's end; resolves when its Node is Ready. Throws when it runs already. */
  start(name: string): Promise<void>;
  /** Resolves when the machine is dead and swept; the API is told also after that. */
  kill(name: string): Promise<void>;
  pause(name: string): void;
  resume(name: string): void;
  /** Cuts the agent's way to the API; its pods go on. Resolves when the agent has lost its connections. */
  partition(name: string): Promise<void>;
  /** Takes that back. */
  heal(name: string): Promise<void>;
  /** Clean: pods are ended within their grace periods first. */
  stop(name: string): Promise<void>;
  add(node: ClusterNode): Promise<void>;
  remove(name: string): Promise<void>;
  /** Ends every machine of a cluster whose control plane has ended. */
  stopAll(graceMs: number): Promise<void>;
}

export function createNodeAgents(options: NodeAgentsOptions): NodeAgents {
  const machines = new Map<string, Machine>();
  const markers = (name: string): Markers => ({ KUBEMU_CLUSTER: options.dataDir, KUBEMU_NODE: name });

  let stopping = false;

  /** Whoever starts the machine again waits for `work`, which takes its program away at once. */
  const ending = (machine: Machine, work: () => Promise<void>): Promise<void> => {
    const end = work();
    machine.ended = end.catch(() => {});
    return end;
  };

  const lost = async (machine: Machine, state: NodeState) => {
    machine.state = state;
    machine.program = undefined;
    const { name } = machine.node;
    const telling = new AbortController();
    machine.telling = telling;
    if (stopping) telling.abort();
    const tell = async () => {
      if (options.tellLost) await markLost(await options.client(), name, options.clock.now());
      telling.abort();
    };
    const { log } = options;
    machine.told = runForever("tell that a node is lost", tell, { log, signal: telling.signal });
    await sweepMarked(markers(name));
  };

  const boot = (machine: Machine): Program => {
    if (stopping) throw new Error("the cluster is stopping");
    machine.state = "starting";
    machine.isPartitioned = false;
    const program = options.start(machine.node);
    machine.program = program;
    program.ready.then(
      () => {
        if (machine.program === program && machine.state === "starting") machine.state = "running";
      },
      () => {},
    );
    // Set before the exit where the end was asked for: then that command does the rest.
    void program.exited.then(({ code, signal }) => {
      if (machine.program !== program) return;
      const node = machine.node.name;
      options.log.warn({ node, code, signal }, "a node agent ended; its machine is lost");
      ending(machine, () => lost(machine, "killed")).catch((error) =>
        options.log.error({ node, error: String(error) }, "a lost machine could not be swept"),
      );
    });
    return program;
  };

  /** Where the loss of its last life had been told, that is taken back. */
  const bootAgain = async (machine: Machine) => {
    const { ready, exited } = boot(machine);
    await ready;
    const over = new AbortController();
    void exited.then(() => over.abort());
    const { name } = machine.node;
    await awaitReady(await options.client(), name, {
      takeBackLoss: options.tellLost,
      signal: over.signal,
    });
    if (over.signal.aborted) throw new Error(`${name} ended before it was Ready`);
  };

  const running = (name: string): { machine: Machine; program: Program } => {
    const machine = machines.get(name);
    if (!machine?.program) throw new Error(`${name} is not running`);
    return { machine, program: machine.program };
  };

  // The whole machine, its containers too, and the agent's pid even where its environment cannot be read.
  const signalAll = (name: string, program: Program, signal: NodeJS.Signals) => {
    for (const pid of new Set([program.identity.pid, ...findMarked(markers(name))])) {
      try {
        process.kill(pid, signal);
      } catch {
        // Gone in between.
      }
    }
  };

  const take = async (name: string, graceMs: number) => {
    const { machine, program } = running(name);
    machine.program = undefined;
    if (machine.state === "paused") signalAll(name, program, "SIGCONT");
    await endProgram(program, graceMs);
  };

  return {
    list: () =>
      [...machines.values()].map(({ node, state, program }) => ({
        ...node,
        state,
        pid: program?.identity.pid ?? 0,
      })),
    async start(name) {
      const machine = machines.get(name);
      if (!machine) throw new Error(`there is no node ${name}`);
      const { program } = machine;
      // Dead already, which is heard of in a moment.
      if (program && !isAlive(program.identity)) await program.exited;
      if (machine.program) throw new Error(`${name} is running already`);
      for (let ended: unknown; ended !== machine.ended; ) {
        ended = machine.ended;
        await ended;
        // What is under way to the API may still mark the node lost: only afterwards can that be taken back.
        machine.telling.abort();
        await machine.told;
      }
      if (machines.get(name) !== machine) throw new Error(`there is no node ${name}`);
      if (machine.program) throw new Error(`${name} is running already`);
      await bootAgain(machine);
    },
    async kill(name) {
      const { machine, program } = running(name);
      await ending(machine, async () => {
        machine.program = undefined;
        program.child.kill("SIGKILL");
        await program.exited;
        await lost(machine, "killed");
      });
      const { told } = machine;
      const over = new AbortController();
      await Promise.race([told, options.clock.sleep(TOLD_WITHIN_MS, over.signal)]);
      over.abort();
    },
    pause(name) {
      const { machine, program } = running(name);
      signalAll(name, program, "SIGSTOP");
      machine.state = "paused";
    },
    resume(name) {
      const { machine, program } = running(name);
      if (machine.state !== "paused") throw new Error(`${name} is not paused`);
      signalAll(name, program, "SIGCONT");
      machine.state = machine.isPartitioned ? "partitioned" : "running";
    },
    async partition(name) {
      const { machine, program } = running(name);
      if (machine.state !== "running")
        throw new Error(`${name} is ${machine.state}; only a running node can be partitioned`);
      await setLink(program, "cut", options.clock);
      machine.isPartitioned = true;
      machine.state = "partitioned";
    },
    async heal(name) {
      const { machine, program } = running(name);
      if (machine.state !== "partitioned") throw new Error(`${name} is not partitioned`);
      await setLink(program, "healed", options.clock);
      machine.isPartitioned = false;
      machine.state = "running";
    },
    async stop(name) {
      const { machine } = running(name);
      await ending(machine, async () => {
        await take(name, STOP_GRACE_MS);
        await lost(machine, "stopped");
      });
    },
    async add(node) {
      if (machines.has(node.name)) throw new Error(`there is a node ${node.name} already`);
      const machine: Machine = {
        node,
        state: "starting",
        isPartitioned: false,
        program: undefined,
        telling: new AbortController(),
        told: Promise.resolve(),
        ended: Promise.resolve(),
      };
      machines.set(node.name, machine);
      await boot(machine).ready;
    },
    async remove(name) {
      const machine = machines.get(name);
      if (!machine) throw new Error(`there is no node ${name}`);
      const { ended } = machine;
      await ending(machine, async () => {
        if (machine.program) await take(name, STOP_GRACE_MS);
        await ended;
        machine.state = "stopped";
        machine.telling.abort();
        await sweepMarked(markers(name));
        await machine.told;
        await removeNode(await options.client(), name);
        // Last: its name is free once nothing is left that a new machine of that name could be taken for.
        if (machines.get(name) === machine) machines.delete(name);
      });
    },
    async stopAll(graceMs) {
      stopping = true;
      for (const { telling, program } of machines.values()) {
        telling.abort();
        if (program?.child.connected) program.child.send(API_IS_GONE, () => {});
      }
      await Promise.all(
        [...machines.values()].filter(({ program }) => program).map(({ node }) => take(node.name, graceMs)),
      );
    },
  };
}

// An agent hears its supervisor within milliseconds; one that does not is hung or dead.
const LINK_WITHIN_MS = 5_000;

/** Tells the agent, and resolves once it has done it. */
async function setLink({ child, exited }: Program, link: LinkMessage["link"], clock: Clock): Promise<void> {
  const over = new AbortController();
  let listener: (message: unknown) => void = () => {};
  const done = new Promise<boolean>((resolve) => {
    listener = (message) => linkMessage(message)?.link === link && resolve(true);
    child.on("message", listener);
  });
  child.send({ link } satisfies LinkMessage, undefined, {}, () => {});
  const late = clock.sleep(LINK_WITHIN_MS, over.signal);
  const isDone = await Promise.race([done, late, exited]);
  over.abort();
  child.off("message", listener);
  if (isDone !== true) throw new Error("the node's agent does not answer");
}
