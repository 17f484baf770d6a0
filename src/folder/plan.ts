// What has to be applied and removed so that the cluster holds what the folder says. Pure.
// Nothing is removed while it is unclear whether the folder still wants it: its file is broken, being written or partly
// failing, or the object has been missing for less than REMOVE_AFTER_MS.
import type { Declared } from "./manifest.ts";
import type { FolderProblem } from "./problem.ts";

/** An object that this folder applied, as its label and annotation say. */
export interface Owned {
  readonly key: string;
  readonly kind: string;
  /** The file that it came from. */
  readonly source: string;
  /** That file's content when it was applied last. */
  readonly fingerprint: string;
}

export interface FileState {
  readonly file: string;
  /** Changes whenever the file's content does. */
  readonly fingerprint: string;
  /** Absent while it is not clear what the file declares. */
  readonly declared?: readonly Desired[];
}

export interface Desired extends Declared {
  readonly key: string;
  /** Of its file. */
  readonly fingerprint: string;
}

export interface PlanInput {
  /** Sorted by name. */
  readonly files: readonly FileState[];
  readonly owned: readonly Owned[];
  /** Files and directories that could not be looked into. */
  readonly unreadable: readonly string[];
  /** Per key, the stamp of what was applied last. */
  readonly applied: ReadonlyMap<string, string>;
  /** Files with a document that the server did not take. */
  readonly failing: ReadonlySet<string>;
  /** Per key, since when the folder does not declare it, in milliseconds since the epoch. */
  readonly missingSince: ReadonlyMap<string, number>;
  readonly nowMs: number;
}

export interface FolderPlan {
  readonly apply: readonly Desired[];
  readonly remove: readonly Owned[];
  /** Not removed because their files are failing. */
  readonly held: readonly Owned[];
  readonly missingSince: ReadonlyMap<string, number>;
  /** In how many milliseconds something is to be removed if nothing changes. */
  readonly checkAgainMs: number | undefined;
  /** Documents that repeat what another file declares; the first one counts. */
  readonly repeated: readonly FolderProblem[];
}

// An editor that saves by truncating and writing, or by deleting and renaming, is done well within this.
export const REMOVE_AFTER_MS = 700;

/** What marks a document as applied: its file's name and content, so that a changed or renamed file is applied again. */
export const stampOf = (file: string, fingerprint: string): string => `${file}\n${fingerprint}`;

export function planFolder(input: PlanInput): FolderPlan {
  const { wanted, repeated } = collect(input.files);
  const apply: Desired[] = [];
  for (const desired of wanted.values()) {
    const stamp = stampOf(desired.file, desired.fingerprint);
    if (input.applied.get(desired.key) !== stamp) apply.push(desired);
  }
  const unclear = [
    ...input.files.filter(({ declared }) => !declared).map(({ file }) => file),
    ...input.unreadable,
  ];
  const isUnclear = (source: string) => unclear.some((one) => source === one || source.startsWith(`${one}/`));
  const missingSince = new Map<string, number>();
  const remove: Owned[] = [];
  const held: Owned[] = [];
  let checkAgainMs: number | undefined;
  for (const owned of input.owned) {
    if (wanted.has(owned.key) || isUnclear(owned.source)) continue;
    const since = input.missingSince.get(owned.key) ?? input.nowMs;
    missingSince.set(owned.key, since);
    const remainsMs = since + REMOVE_AFTER_MS - input.nowMs;
    if (input.failing.has(owned.source)) held.push(owned);
    else if (remainsMs <= 0) remove.push(owned);
    else checkAgainMs = Math.min(checkAgainMs ?? remainsMs, remainsMs);
  }
  return { apply, remove, held, missingSince, checkAgainMs, repeated };
}

function collect(files: readonly FileState[]) {
  const wanted = new Map<string, Desired>();
  const repeated: FolderProblem[] = [];
  for (const file of files) {
    for (const desired of file.declared ?? []) {
      const first = wanted.get(desired.key);
      if (!first) wanted.set(desired.key, desired);
      else {
        repeated.push({
          file: file.file,
          line: desired.line,
          message: `${desired.kind} ${desired.name} is declared in ${first.file}:${first.line} already; that one counts`,
        });
      }
    }
  }
  return { wanted, repeated };
}
