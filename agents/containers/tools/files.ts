// tar and test as `kubectl cp` runs them in a container: the machine's own, with the container's paths. A path means the file below
// $KUBEMU_ROOT where there is one, else the machine's; what is written goes below $KUBEMU_ROOT, but for /tmp, which all share.
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { handOver, machineProgram, type Tool } from "./tool.ts";

export async function tar(tool: Tool): Promise<number> {
  const program = machineProgram("tar", tool.env);
  if (!program) {
    tool.printError("tar: not found on this machine\n");
    return 127;
  }
  const place = placeIn(tool.env["KUBEMU_ROOT"] ?? "/");
  const target = targetOf(tool.args);
  if (target !== undefined) mkdirSync(place.written(target), { recursive: true });
  return await handOver(program, tarArguments(tool.args, place), tool.env);
}

export async function test({ args, env }: Tool): Promise<number> {
  const program = machineProgram("test", env);
  if (!program) return 2;
  const place = placeIn(env["KUBEMU_ROOT"] ?? "/");
  const mapped = args.map((arg) => (arg.startsWith("/") ? path.join(place.read(arg), arg) : arg));
  return await handOver(program, mapped, env);
}

export interface Place {
  /** The directory below which an absolute path lies that is to be read. */
  read(file: string): string;
  /** Where an absolute path lies that is to be written. */
  written(file: string): string;
}

const SHARED = ["/tmp", "/var/tmp", "/dev"];
const isShared = (file: string) => SHARED.some((folder) => file === folder || file.startsWith(`${folder}/`));

export function placeIn(root: string, exists: (file: string) => boolean = existsSync): Place {
  return {
    read: (file) => (exists(path.join(root, file)) ? root : "/"),
    written(file) {
      const own = path.join(root, file);
      return isShared(path.resolve(file)) && !exists(own) ? file : own;
    },
  };
}

const isStandardStream = (words: readonly string[]) =>
  words.some((word, at) => word === "-" && /f$/.test(words[at - 1] ?? ""));
const isExtract = ([first = "", ...rest]: readonly string[]) =>
  /^-?[a-z]*x/.test(first) || rest.some((word) => /^-[a-z]*x/.test(word));

/** The directory into which the archive on standard input is to be unpacked; undefined for every other use of tar. */
function targetOf(args: readonly string[]): string | undefined {
  if (!isStandardStream(args) || !isExtract(args)) return undefined;
  const at = args.indexOf("-C");
  const target = at < 0 ? undefined : args[at + 1];
  return target?.startsWith("/") ? target : undefined;
}

/**
 * What kubectl says, with the container's paths. Other uses of tar stay as they are. Worked example, with the root at /r:
 * `-xmf - -C /etc/app` becomes `-xmf - -C /r/etc/app`; `cf - /etc/app` becomes `cf - -C /r etc/app`, so that the names in the
 * archive are those that kubectl expects.
 */
export function tarArguments(args: readonly string[], place: Place): string[] {
  if (!isStandardStream(args)) return [...args];
  const extract = isExtract(args);
  return args.flatMap((word, at) => {
    if (!word.startsWith("/")) return [word];
    if (args[at - 1] === "-C") return [extract ? place.written(word) : path.join(place.read(word), word)];
    return extract ? [word] : ["-C", place.read(word), path.relative("/", word) || "."];
  });
}
