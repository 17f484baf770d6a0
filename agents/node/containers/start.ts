// Starts one container of a pod: image, environment, volumes, process, postStart hook, probes. Says what came of it in
// the container's state; the worker alone decides whether and when to start.
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Container, Pod } from "../../../src/api/generated/types.ts";
import type { ContainerRun, NodeContext, PodRecord } from "../context.ts";
import { containerEvents, type PodEvents } from "../events.ts";
import { type ImageProgram, type ResolvedImage, resolveImage } from "../images/catalogue.ts";
import { nextBackoff } from "../pod/plan.ts";
import { type ContainerState, containerSpec, shouldRestart, type Termination } from "../pod/state.ts";
import { startContainerProbes } from "../probes/container-probes.ts";
import { mountVolumes, prepareTerminationLog } from "../volumes/mount.ts";
import { unlessAborted } from "./abort.ts";
import {
  ConfigError,
  type Environment,
  expand,
  manifestEnvironment,
  ownEnvironment,
  serviceEnvironment,
} from "./environment.ts";
import { watchExit } from "./exit.ts";
import { runHook } from "./hooks.ts";
import { createLogFile } from "./log-file.ts";
import { type ContainerProcess, startCommand } from "./process.ts";
import { pullImage } from "./pull.ts";
import { stopContainer } from "./stop.ts";
import { nodeOptions, writeSystemFiles } from "./system-files.ts";

export interface StartResult {
  /** Try again then, milliseconds since the epoch, if nothing happens before. */
  readonly retryAt?: number;
}

// A built-in program that does not listen by then has something wrong; its own error says what.
const LISTEN_LIMIT_MS = 5_000;
const CONFIG_RETRY_MS = 1_000;

interface Start {
  readonly context: NodeContext;
  readonly record: PodRecord;
  readonly state: ContainerState;
  readonly container: Container;
  readonly events: PodEvents;
}

/** For a pod that has just come to this node: the process of its first container boots while network, volumes and status are seen to. */
export function expectContainer({ pool, images }: NodeContext, { spec }: Readonly<Pod>): void {
  const [first] = [...(spec.initContainers ?? []), ...spec.containers];
  if (!first || first.command?.length) return;
  const image = resolveImage(first.image ?? "", images.list());
  if (image?.program.builtin && !image.error) pool.expect();
}

/** Resolves when the container runs (its postStart hook done) or cannot. Never rejects. */
export async function startContainer(
  context: NodeContext,
  record: PodRecord,
  state: ContainerState,
): Promise<StartResult> {
  const container = containerSpec(record.pod, state.name);
  if (!container) return {};
  const events = containerEvents(context.recorder, record.pod, state);
  const start: Start = { context, record, state, container, events };
  const pulled = await pullImage(context, record, { container, events, waiting: state.waiting });
  if ("waiting" in pulled) {
    state.waiting = pulled.waiting;
    return pulled.retryAt === undefined ? {} : { retryAt: pulled.retryAt };
  }
  state.imageID = pulled.image.name;
  try {
    await launch(start, pulled.image);
  } catch (error) {
    return failed(start, error);
  }
  await afterStart(start);
  return {};
}

async function launch(start: Start, image: ResolvedImage): Promise<void> {
  const { context, record, state, container, events } = start;
  const directory = path.join(record.directory, "containers", state.name);
  const root = path.join(directory, "root");
  mkdirSync(root, { recursive: true });
  const environment = await unlessAborted(environmentOf(start, image.program, root), record.ending.signal);
  const podIP = record.state.podIP ?? context.network.nodeIP;
  writeSystemFiles(root, { pod: record.pod, podIP, clusterDns: context.dns.clusterIP });
  await mountVolumes({ container, root, volumes: record.volumes, environment });
  const terminationLog = prepareTerminationLog(root, container);
  const cwd = workingDirectory(container, image.program, { root, environment });
  if (record.ending.signal.aborted) return;
  events.created();
  const isRestart = state.ran;
  if (state.last) state.backoffMs = nextBackoff(state.backoffMs, ranMs(state.last), context.timing);
  const index = state.restartCount + (isRestart ? 1 : 0);
  const log = createLogFile(path.join(directory, `${index}.log`), {
    keepForFirst: container.stdin === true,
  });
  const process = await spawnProcess(start, image, { environment, cwd, root });
  log.take("stdout", process.stdout);
  log.take("stderr", process.stderr);
  const run: ContainerRun = {
    process,
    log,
    environment,
    cwd,
    startedAt: context.clock.now(),
    portMap: record.portMap,
    stopProbes: () => {},
  };
  keepRun(record, state.name, run);
  state.restartCount = index;
  state.ran = true;
  state.waiting = undefined;
  state.stopping = false;
  state.started = container.startupProbe === undefined;
  state.ready = container.readinessProbe === undefined && container.startupProbe === undefined;
  watchExit({ record, state, run, terminationLog, container, clock: context.clock });
  await Promise.race([process.listening, context.clock.sleep(LISTEN_LIMIT_MS, record.ending.signal)]);
  if (record.runs.get(state.name)?.at(-1) !== run || state.last?.containerID === `process://${process.pid}`)
    return;
  state.running = { pid: process.pid, startedAt: run.startedAt };
  events.started();
}

/** The current run and the one before it are kept, with their logs. */
function keepRun(record: PodRecord, name: string, run: ContainerRun): void {
  const runs = record.runs.get(name) ?? [];
  runs.push(run);
  const dropped = runs.length > 2 ? runs.shift() : undefined;
  record.runs.set(name, runs);
  if (dropped) void dropped.log.remove();
}

async function environmentOf(
  { context, record, container }: Start,
  program: ImageProgram,
  root: string,
): Promise<Environment> {
  const { settings, services, allocatable, network, references, standIns } = context;
  const { pod, portMap } = record;
  const podIP = record.state.podIP ?? network.nodeIP;
  const own = ownEnvironment({
    container,
    pod,
    podIP,
    portMap,
    defaultPorts: program.ports ?? [],
    root,
    cluster: settings.dataDir,
    node: settings.node,
    searchPath: `${standIns.folder}:${context.searchPath}`,
    dns: context.dns,
  });
  const links = serviceEnvironment(services.list(), pod);
  const base: Environment = { ...own, ...links, ...apiServerEnvironment(settings) };
  for (const { name, value } of program.env ?? []) base[name] = value ?? "";
  const facts = { pod, podIP, hostIP: network.nodeIP, nodeName: settings.node, allocatable };
  const manifest = await manifestEnvironment(container, {
    facts,
    references: references.forPod(record.uid),
    base,
  });
  const marks = {
    KUBEMU_CLUSTER: own["KUBEMU_CLUSTER"]!,
    KUBEMU_NODE: own["KUBEMU_NODE"]!,
    KUBEMU_POD: own["KUBEMU_POD"]!,
    KUBEMU_BIN: standIns.folder,
    NODE_OPTIONS: nodeOptions(standIns.preload, manifest["NODE_OPTIONS"] ?? base["NODE_OPTIONS"]),
  };
  return { ...base, ...manifest, ...marks };
}

function workingDirectory(
  container: Container,
  program: ImageProgram,
  { root, environment }: { root: string; environment: Environment },
): string {
  if (!container.workingDir) return program.workingDir ?? root;
  const directory = path.join(root, path.posix.resolve("/", expand(container.workingDir, environment)));
  mkdirSync(directory, { recursive: true });
  return directory;
}

async function spawnProcess(
  { context, record, container }: Start,
  image: ResolvedImage,
  { environment, cwd, root }: { environment: Environment; cwd: string; root: string },
): Promise<ContainerProcess> {
  const { program } = image;
  const all = (words: readonly string[] | undefined) =>
    (words ?? []).map((word) => expand(word, environment));
  const [command, args] = [all(container.command), all(container.args)];
  const ownArgs = builtinArgs(program, command, args);
  if (program.builtin && ownArgs) {
    const declared = (container.ports ?? []).map((port) => port.containerPort);
    return context.pool.take().assign({
      program: program.builtin,
      args: ownArgs,
      env: environment,
      cwd,
      host: environment["POD_IP"] ?? "127.0.0.1",
      ports: declared.length > 0 ? declared : [...(program.ports ?? [])],
      portMap: record.portMap,
      pod: record.pod.metadata.name,
      image: container.image ?? "",
      tag: image.tag,
      root,
    });
  }
  record.foreign = true;
  const byImage = [...(program.command ?? []), ...(args.length > 0 ? args : (program.args ?? []))];
  // A container's command replaces the image's arguments too.
  const argv = command.length > 0 ? [...command, ...args] : byImage;
  return await startCommand(context.spawner, {
    argv,
    env: environment,
    cwd,
    stdin: container.stdin ?? false,
    tty: container.tty,
  });
}

/** What a built-in program is told; undefined where the container's command is another program. */
function builtinArgs(
  { args: defaults = [], builtinArgs: first = [], entryPoints = [] }: ImageProgram,
  [command, ...words]: readonly string[],
  args: readonly string[],
): string[] | undefined {
  if (command === undefined) return [...first, ...(args.length > 0 ? args : defaults)];
  return entryPoints.includes(command) ? [...words, ...args] : undefined;
}

function failed({ context, record, state, events }: Start, error: unknown): StartResult {
  if (record.ending.signal.aborted) return {};
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof ConfigError) {
    events.failed(reason);
    state.waiting = { reason: "CreateContainerConfigError", message: reason };
    return { retryAt: context.clock.now() + CONFIG_RETRY_MS };
  }
  // The words of containerd and runc, which is what tutorials and searches show.
  const message = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ${reason}: unknown`;
  const now = context.clock.now();
  if (state.ran) state.restartCount += 1;
  state.ran = true;
  state.beforeLast = state.last;
  state.last = {
    exitCode: 128,
    reason: "StartError",
    message,
    startedAt: 0,
    finishedAt: now,
    containerID: "",
  };
  // A container that is not started again does not wait: it has ended (the kubelet's convertToAPIContainerStatuses).
  const again = shouldRestart(record.pod, state, state.last.exitCode);
  state.waiting = again ? { reason: "RunContainerError", message } : undefined;
  events.failed(message);
  record.wake();
  return {};
}

async function afterStart({ context, record, state, container, events }: Start): Promise<void> {
  const run = record.runs.get(state.name)?.at(-1);
  if (!run || !state.running) return;
  const hook = container.lifecycle?.postStart;
  if (hook) {
    const ready = state.ready;
    state.ready = false;
    const hookRun = runHook(hook, { context, record, container, run });
    const failure = await unlessAborted(hookRun, record.ending.signal).catch(() => undefined);
    if (record.ending.signal.aborted) return;
    if (failure !== undefined) {
      events.hookFailed("PostStart", "PostStartHook failed");
      context.log.debug({ pod: record.pod.metadata.name, failure }, "postStart hook failed");
      events.killing(`FailedPostStartHook`);
      await stopContainer(context, record, { state, graceMs: graceOf(record), events: undefined });
      return;
    }
    if (state.running) state.ready = ready;
  }
  if (state.running) startContainerProbes({ context, record, state, container, run, events });
}

const graceOf = (record: PodRecord) => (record.pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;

// A container that could not be started has no time of start.
const ranMs = ({ startedAt, finishedAt }: Termination) => (startedAt === 0 ? 0 : finishedAt - startedAt);

/**
 * Unlike Kubernetes: where the Service `kubernetes` cannot be listened on (its port is privileged, or there is one
 * address only), in-cluster clients are sent to the API server itself.
 */
function apiServerEnvironment({
  apiServer,
  lowestPort,
  singleAddress,
}: NodeContext["settings"]): Environment {
  const { hostname, port } = new URL(apiServer);
  if (!singleAddress && lowestPort <= HTTPS) return {};
  return {
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    KUBERNETES_SERVICE_PORT_HTTPS: port,
  };
}

const HTTPS = 443;
