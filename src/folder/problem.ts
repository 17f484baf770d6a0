/** What is wrong, and where; positions count from 1. */
export interface FolderProblem {
  /** Relative to the folder; `.` is the folder itself. */
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
}

/** `web.yaml:12:3: message`, as compilers print it. */
export function problemText({ file, line, column, message }: FolderProblem): string {
  const at = [file, line, column].filter((part) => part !== undefined).join(":");
  return `${at}: ${message}`;
}
