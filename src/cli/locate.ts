// Which cluster a command is about: its name, and where its data lies.
import { isAbsolute, join, resolve } from "node:path";
import { readCluster } from "../supervisor/state.ts";
import { type Invocation, UsageError } from "./command.ts";

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const USUAL_NAME = "kubemu";

/** What is read of the surroundings. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** The user's home; may throw or be empty where there is none. */
  home(): string;
}

/** A data directory that is given says what its cluster is called; a name that is given says where the data lies. */
export function locate(
  options: Readonly<Record<string, unknown>>,
  surroundings: Surroundings,
): Pick<Invocation, "name" | "dataDir"> {
  const { name: givenName, dataDir: givenDir } = options;
  if (typeof givenName === "string" && !DNS_LABEL.test(givenName))
    throw new UsageError(
      `--name takes a DNS label (lower case letters, digits and '-', at most 63), not ${JSON.stringify(givenName)}`,
    );
  if (givenDir === "") throw new UsageError("--data-dir takes the path of a folder, not an empty text");
  if (typeof givenDir === "string") {
    const dataDir = resolve(givenDir);
    const name = typeof givenName === "string" ? givenName : readCluster(dataDir)?.name;
    return { name: name ?? USUAL_NAME, dataDir };
  }
  const name = typeof givenName === "string" ? givenName : USUAL_NAME;
  return { name, dataDir: join(stateFolder(surroundings), "kubemu", name) };
}

// The XDG base directory specification: a relative path in the variable is to be ignored.
function stateFolder({ env, home }: Surroundings): string {
  const given = env["XDG_STATE_HOME"] ?? "";
  if (isAbsolute(given)) return given;
  let folder = "";
  try {
    folder = home();
  } catch {
    // This user is in no list of users and HOME is not set.
  }
  if (!isAbsolute(folder)) throw new Error("there is no home folder (HOME is not set); give --data-dir");
  return join(folder, ".local", "state");
}
