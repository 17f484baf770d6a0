// Shows a pod's volumes to one container below its root directory: `$KUBEMU_ROOT/<mountPath>` is a symlink to the
// volume. Unlike Kubernetes: a program that does not look below KUBEMU_ROOT sees the host's files, and readOnly is not
// enforced.
import { copyFile, cp, link, lstat, mkdir, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
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
    const source = sub ? await subPathOf(volume, sub) : volume;
    const target = path.join(root, path.posix.resolve("/", mountPath));
    await clear(target, root);
    if (sub && (await isPayload(volume))) await hold(source, target);
    else await symlink(source, target);
  }
}

async function subPathOf(volume: string, sub: string): Promise<string> {
  const source = path.join(volume, checkedPath(sub));
  const found = await stat(source).catch(() => undefined);
  if (!found) await mkdir(source, { recursive: true });
  const [real, base] = await Promise.all([realpath(source), realpath(volume)]);
  // A symlink inside the volume must not lead to the host's files.
  if (real !== base && !real.startsWith(`${base}${path.sep}`))
    throw new ConfigError(`failed to prepare subPath for volumeMount: ${sub} leads out of the volume`);
  return source;
}

// What writePayload keeps up to date has this link.
const isPayload = (volume: string) =>
  lstat(path.join(volume, "..data")).then(
    () => true,
    () => false,
  );

/** As Kubernetes: a subPath of a ConfigMap, Secret … stays what it was when the container started, whatever comes after. */
async function hold(source: string, target: string): Promise<void> {
  const real = await realpath(source);
  const isDirectory = (await stat(real)).isDirectory();
  if (isDirectory) await cp(real, target, { recursive: true });
  else await link(real, target).catch(() => copyFile(real, target));
}

/** Makes way for a mount at `target`. */
async function clear(target: string, root: string): Promise<void> {
  if (target === root) throw new ConfigError("a volume cannot be mounted at /");
  await mkdir(path.dirname(target), { recursive: true });
  const [parent, base] = await Promise.all([realpath(path.dirname(target)), realpath(root)]);
  const inside = parent === base || parent.startsWith(`${base}${path.sep}`);
  const present = await lstat(target).catch(() => undefined);
  if (present?.isSymbolicLink()) await rm(target);
  // Below another mount stand a volume's own files, perhaps the host's: those are never removed.
  else if (present && inside) await rm(target, { recursive: true, force: true });
  else if (present)
    throw new ConfigError(`a volume cannot be mounted over what another volume has at ${target}`);
}

/** The file in which a container may leave its last words; made empty before each start. */
export async function prepareTerminationLog(root: string, container: Container): Promise<string> {
  const file = path.join(
    root,
    path.posix.resolve("/", container.terminationMessagePath ?? "/dev/termination-log"),
  );
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, "");
  return file;
}
