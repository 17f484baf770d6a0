// One round of the folder: look at the files, plan, write, and say what is wrong. Holds what has to be known from one round
// to the next; a problem is reported once, when it appears.
import type { Clock } from "../base/clock.ts";
import { type FolderCluster, mayHeal, shortName, UnknownKind } from "./cluster.ts";
import { inApplyOrder } from "./order.ts";
import { type Desired, type FileState, type FolderPlan, type Owned, planFolder, stampOf } from "./plan.ts";
import { type FolderProblem, problemText } from "./problem.ts";
import { createFolderReader, type FolderContent } from "./read-folder.ts";

export interface RoundResult {
  /** How many of the folder's objects are as their files say. */
  readonly applied: number;
  readonly problems: readonly FolderProblem[];
  /** True while something is likely to go through very soon without anybody's doing. */
  readonly waiting: boolean;
  /** When the next round is due if nothing changes. */
  readonly againMs: number | undefined;
}

export interface RoundsOptions {
  readonly root: string;
  readonly cluster: FolderCluster;
  readonly clock: Clock;
  readonly onProblem: (problem: FolderProblem) => void;
  readonly onInfo: (text: string) => void;
  readonly onWarning: (text: string) => void;
}

interface Failure {
  readonly stamp: string;
  readonly problem: FolderProblem;
  readonly attempts: number;
  /** Infinity: not before the file changes. */
  readonly retryAt: number;
  readonly soon: boolean;
  readonly removing: boolean;
}

interface Target {
  readonly key: string;
  readonly stamp: string;
  readonly file: string;
  /** Absent for what is being removed: it stands in no file. */
  readonly line?: number;
}

const RETRY_FIRST_MS = 100;
const RETRY_LONGEST_MS = 10_000;
const backoffMs = (attempts: number): number => Math.min(RETRY_FIRST_MS * 2 ** attempts, RETRY_LONGEST_MS);

export function createRounds(options: RoundsOptions): { next(signal: AbortSignal): Promise<RoundResult> } {
  const { root, cluster, clock } = options;
  const look = createFolderReader(root);
  const owned = new Map<string, Owned>();
  const applied = new Map<string, string>();
  const failures = new Map<string, Failure>();
  let missingSince: ReadonlyMap<string, number> = new Map();
  let reported = new Set<string>();
  let outages = 0;

  const fail = (target: Target, error: unknown) => {
    const { key, stamp, file, line } = target;
    const before = failures.get(key);
    const attempts = before?.stamp === stamp ? before.attempts + 1 : 0;
    const heals = mayHeal(error);
    const message = error instanceof Error ? error.message : String(error);
    failures.set(key, {
      stamp,
      attempts,
      problem: { file, ...(line ? { line } : {}), message },
      retryAt: heals ? clock.now() + backoffMs(attempts) : Number.POSITIVE_INFINITY,
      soon: heals && !(error instanceof UnknownKind),
      removing: line === undefined,
    });
  };
  const failingFiles = (): ReadonlySet<string> =>
    new Set([...failures.values()].flatMap(({ removing, problem }) => (removing ? [] : problem.file)));
  const isDue = (key: string, stamp: string): boolean => {
    const failure = failures.get(key);
    return !failure || failure.stamp !== stamp || failure.retryAt <= clock.now();
  };

  const applyAll = async (plan: FolderPlan, signal: AbortSignal) => {
    const done: Desired[] = [];
    for (const desired of inApplyOrder(plan.apply)) {
      const { key, kind, file, line, fingerprint } = desired;
      const stamp = stampOf(file, fingerprint);
      if (signal.aborted || !isDue(key, stamp)) continue;
      try {
        const warnings = await cluster.apply(desired, signal);
        for (const text of warnings) options.onWarning(problemText({ file, line, message: text }));
        applied.set(key, stamp);
        owned.set(key, { key, kind, source: file, fingerprint });
        failures.delete(key);
        done.push(desired);
      } catch (error) {
        if (!signal.aborted) fail({ key, stamp, file, line }, error);
      }
    }
    for (const text of appliedTexts(done)) options.onInfo(text);
  };
  const removeAll = async (plan: FolderPlan, signal: AbortSignal) => {
    for (const one of inApplyOrder(plan.remove).reverse()) {
      const stamp = `remove ${one.source}`;
      if (signal.aborted || !isDue(one.key, stamp)) continue;
      try {
        if (await cluster.remove(one, signal)) options.onInfo(`${one.source}: deleted ${shortName(one)}`);
        owned.delete(one.key);
        applied.delete(one.key);
        failures.delete(one.key);
      } catch (error) {
        if (!signal.aborted) fail({ key: one.key, stamp, file: one.source }, error);
      }
    }
  };
  const settle = (content: FolderContent, plan: FolderPlan): RoundResult => {
    const wanted = new Set([...plan.apply, ...plan.remove].map(({ key }) => key));
    // What is neither wanted nor unwanted any more has no failure either.
    for (const key of failures.keys()) if (!wanted.has(key)) failures.delete(key);
    const open = [...failures.values()];
    const problems = [...content.problems, ...plan.repeated, ...open.map(({ problem }) => problem)];
    reportNew(problems);
    const retries = open.map(({ retryAt }) => retryAt - clock.now());
    // What was held back may go once nothing of its file fails any more.
    const failing = failingFiles();
    const freed = plan.held.some(({ source }) => !failing.has(source)) ? 0 : undefined;
    const againMs = Math.min(
      ...[content.lookAgainMs, plan.checkAgainMs, freed, ...retries].map(
        (ms) => ms ?? Number.POSITIVE_INFINITY,
      ),
    );
    return {
      applied: applied.size,
      problems,
      waiting: content.lookAgainMs !== undefined || open.some(({ soon }) => soon),
      againMs: Number.isFinite(againMs) ? Math.max(againMs, 1) : undefined,
    };
  };
  const reportNew = (problems: readonly FolderProblem[]) => {
    const texts = new Set<string>();
    for (const problem of problems) {
      const text = problemText(problem);
      if (!reported.has(text) && !texts.has(text)) options.onProblem(problem);
      texts.add(text);
    }
    reported = texts;
  };

  const round = async (signal: AbortSignal): Promise<RoundResult> => {
    for (const one of await cluster.listOwned(signal)) {
      if (owned.has(one.key)) continue;
      owned.set(one.key, one);
      // Applied by an earlier run and not saved since: what others changed in it stays.
      applied.set(one.key, stampOf(one.source, one.fingerprint));
    }
    const content = await look(clock.now());
    const files: FileState[] = content.files.map(({ file, fingerprint, declared }) => ({
      file,
      fingerprint,
      ...(declared ? { declared: declared.map((one) => cluster.keyed(one, fingerprint)) } : {}),
    }));
    for (const { file, declared = [] } of files) {
      if (content.savedAgain.includes(file)) for (const { key } of declared) applied.delete(key);
    }
    const plan = planFolder({
      files,
      unreadable: content.unreadable,
      applied,
      owned: [...owned.values()],
      failing: failingFiles(),
      missingSince,
      nowMs: clock.now(),
    });
    missingSince = plan.missingSince;
    await applyAll(plan, signal);
    await removeAll(plan, signal);
    return settle(content, plan);
  };

  return {
    async next(signal) {
      try {
        const result = await round(signal);
        outages = 0;
        return result;
      } catch (error) {
        // The folder is gone, or the server does not answer: everything stays as it is meanwhile.
        const message = error instanceof Error ? error.message : String(error);
        const problems = [{ file: ".", message }];
        if (!signal.aborted) reportNew(problems);
        return { applied: applied.size, problems, waiting: true, againMs: backoffMs(outages++) };
      }
    },
  };
}

function appliedTexts(done: readonly Desired[]): string[] {
  const byFile = new Map<string, string[]>();
  for (const one of done) byFile.set(one.file, [...(byFile.get(one.file) ?? []), shortName(one)]);
  return [...byFile].map(([file, names]) => `${file}: applied ${names.join(", ")}`);
}
