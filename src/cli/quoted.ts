/** A path as a shell takes it: single quotes keep the shell off; plain ones stay readable. */
export const quoted = (path: string): string =>
  /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
