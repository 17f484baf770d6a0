// Shows a pod's volumes to one container below its root directory: `$KUBEMU_ROOT/<mountPath>` is a symlink to the
// volume. Unlike Kubernetes: a program that does not look below KUBEMU_ROOT sees the host's files, and readOnly is not
// enforced. What is copied takes as long as it takes; the rest, links and empty folders, is done in one turn of the event loop, since an
// asynchronous call costs several times what such a call does.
import { lstatSync, mkdirSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { copyFile, cp, link } from "node:fs/promises";
import path from "node:path";
import type { Container } from "../../../src/api/generated/types.ts";
import { ConfigError, type Environment, expand } from "../containers/environment.ts";
import { checkedPath } from "./payload.ts";

/** Links every mount of `container`; `volumes` says where each volume lies. */
export async function mountVolumes(options: {
  container: Container;
  root: string;
  volumes: ReadonlyMap<string, string>;
  environment: Readonly<Environment>;
}): Promise<void> {
  const { container, root, volumes, environment } = options;
  // Shorter paths first: a mount inside another mount's directory must find it there.
  const mounts = [...(container.volumeMounts ?? [])].sort((a, b) => a.mountPath.length - b.mountPath.length);
  for (const { name, mountPath, subPath, subPathExpr } of mounts) {
    const volume = volumes.get(name);
    if (volume === undefined)
      throw new ConfigError(`cannot find volume "${name}" to mount into container "${container.name}"`);
    const sub = subPathExpr ? expand(subPathExpr, environment) : subPath;
    const source = sub ? subPathOf(volume, sub) : volume;
    const target = path.join(root, path.posix.resolve("/", mountPath));
    clear(target, root);
    if (sub && isPayload(volume)) await hold(source, target);
    else symlinkSync(source, target);
  }
}

function subPathOf(volume: string, sub: string): string {
  const source = path.join(volume, checkedPath(sub));
  if (!statSync(source, { throwIfNoEntry: false })) mkdirSync(source, { recursive: true });
  // A symlink inside the volume must not lead to the host's files.
  if (!isWithin(source, volume))
    throw new ConfigError(`failed to prepare subPath for volumeMount: ${sub} leads out of the volume`);
  return source;
}

// What writePayload keeps up to date has this link.
const isPayload = (volume: string) =>
  lstatSync(path.join(volume, "..data"), { throwIfNoEntry: false }) !== undefined;

/** Where symlinks lead is what counts. */
function isWithin(file: string, directory: string): boolean {
  const [real, base] = [realpathSync.native(file), realpathSync.native(directory)];
  return real === base || real.startsWith(`${base}${path.sep}`);
}

/** As Kubernetes: a subPath of a ConfigMap, Secret … stays what it was when the container started, whatever comes after. */
async function hold(source: string, target: string): Promise<void> {
  const real = realpathSync.native(source);
  if (statSync(real).isDirectory()) await cp(real, target, { recursive: true });
  else await link(real, target).catch(() => copyFile(real, target));
}

/** Makes way for a mount at `target`. */
function clear(target: string, root: string): void {
  if (target === root) throw new ConfigError("a volume cannot be mounted at /");
  mkdirSync(path.dirname(target), { recursive: true });
  const present = lstatSync(target, { throwIfNoEntry: false });
  if (!present) return;
  if (present.isSymbolicLink()) rmSync(target);
  // Below another mount stand a volume's own files, perhaps the host's: those are never removed.
  else if (isWithin(path.dirname(target), root)) rmSync(target, { recursive: true, force: true });
  else throw new ConfigError(`a volume cannot be mounted over what another volume has at ${target}`);
}

/** The file in which a container may leave its last words; made empty before each start. */
export function prepareTerminationLog(root: string, container: Container): string {
  const file = path.join(
    root,
    path.posix.resolve("/", container.terminationMessagePath ?? "/dev/termination-log"),
  );
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, "");
  return file;
}
