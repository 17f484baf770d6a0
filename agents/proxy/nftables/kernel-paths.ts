// Keeps the kernel's rule-set in line with what the Services need. One transaction is under way at a time, and whatever comes meanwhile goes
// into the next. Where the kernel or nft refuses, the table goes, and with it everything that the kernel did: the proxy's own sockets,
// which are always there, serve until a later try is taken.
import type { Clock } from "../../../src/base/clock.ts";
import type { Log } from "../../../src/base/log.ts";
import type { Frontend } from "../service-table.ts";
import {
  type KernelPath,
  kernelPathOf,
  NO_RULES,
  planChange,
  type RuleSet,
  ruleSetOf,
  tableCommands,
} from "./rule-set.ts";
import type { NftSession } from "./session.ts";

const RETRY_MS = 100;
const RETRY_MAX_MS = 30_000;

export interface KernelPaths {
  /** The frontends whose connections may be the kernel's. Resolves when none is sent by an older wish: the rules are active, or there are none. */
  apply(frontends: readonly Frontend[]): Promise<void>;
  stop(): Promise<void>;
}

export interface KernelPathsOptions {
  readonly table: string;
  readonly startSession: () => NftSession;
  readonly clock: Clock;
  readonly log: Log;
}

export function createKernelPaths({ table, startSession, clock, log }: KernelPathsOptions): KernelPaths {
  let wanted: readonly Frontend[] = [];
  const paths = new WeakMap<Frontend, { readonly path: KernelPath | undefined }>();
  let active: RuleSet = NO_RULES;
  let session: NftSession | undefined;
  let waiting: (() => void)[] = [];
  let running = false;
  let stopping = false;
  let failures = 0;
  let cancelRetry: (() => void) | undefined;

  // A Service that has not changed has the frontends that it had.
  const pathOf = (frontend: Frontend) => {
    const known = paths.get(frontend) ?? { path: kernelPathOf(frontend) };
    paths.set(frontend, known);
    return known.path ?? [];
  };
  const open = (): NftSession => {
    const opened = startSession();
    void opened.ended.then(() => {
      if (session !== opened) return;
      session = undefined;
      log.warn({}, "nft has ended; Services are balanced by this process until it is back");
      retryLater();
    });
    return opened;
  };
  const retryLater = () => {
    const delayMs = Math.min(RETRY_MS * 2 ** failures++, RETRY_MAX_MS);
    cancelRetry ??= clock.after(delayMs, () => {
      cancelRetry = undefined;
      kick();
    });
  };
  const giveUp = async (error: unknown) => {
    log.warn({ error: String(error) }, "the kernel's rules cannot be set; trying again");
    const broken = session;
    session = undefined;
    await broken?.stop();
    retryLater();
  };
  const step = async () => {
    const after = ruleSetOf(wanted.flatMap(pathOf));
    const isNew = session === undefined;
    const commands = planChange(table, isNew ? NO_RULES : active, after);
    if (!isNew && commands.length === 0) return;
    try {
      session ??= open();
      await session.run(isNew ? [...tableCommands(table), ...commands] : commands);
      active = after;
      failures = 0;
    } catch (error) {
      await giveUp(error);
    }
  };
  const loop = async () => {
    do {
      const served = waiting;
      waiting = [];
      // While a failure is being waited out there is no table, and nobody has to wait for it.
      if (!cancelRetry && !stopping) await step();
      for (const resolve of served) resolve();
    } while (waiting.length > 0);
    running = false;
  };
  const kick = () => {
    if (running || stopping) return;
    running = true;
    void loop();
  };

  return {
    apply(frontends) {
      wanted = frontends;
      if (stopping) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.push(resolve);
        kick();
      });
    },
    async stop() {
      stopping = true;
      cancelRetry?.();
      const last = session;
      session = undefined;
      await last?.stop();
    },
  };
}
