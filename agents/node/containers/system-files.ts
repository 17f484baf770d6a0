// The files that a container finds below $KUBEMU_ROOT/etc, and the folder of stand-in programs that comes first on its PATH.
import { lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Pod } from "../../../src/api/generated/types.ts";
import { hostnameOf, hostsFile, resolvConf } from "../pod/dns-files.ts";

/** Written before the volumes are mounted: a volume at one of these paths takes its place, and stays untouched. */
export function writeSystemFiles(
  root: string,
  { pod, podIP, clusterDns }: { pod: Readonly<Pod>; podIP: string; clusterDns: string },
): void {
  const etc = path.join(root, "etc");
  if (isLink(etc)) return;
  mkdirSync(etc, { recursive: true });
  const files = {
    "resolv.conf": resolvConf(pod, { clusterDns, machine: machineResolvConf() }),
    hosts: hostsFile(pod, podIP),
    hostname: `${hostnameOf(pod)}\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(etc, name);
    if (!isLink(file)) writeFileSync(file, text);
  }
}

function isLink(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function machineResolvConf(): string {
  try {
    return readFileSync("/etc/resolv.conf", "utf8");
  } catch {
    return "";
  }
}

const STAND_INS = ["curl", "hostname", "nc", "nslookup", "tar", "test", "wget"] as const;

/** Makes `folder` hold a small script for each stand-in program; `program` is dist/tools.js. */
export function writeStandIns(folder: string, program: string): void {
  mkdirSync(folder, { recursive: true });
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  for (const name of STAND_INS) {
    // The stand-in resolves by itself: without the preload it starts sooner.
    const script = `#!/bin/sh\nNODE_OPTIONS= exec ${quoted(process.execPath)} --v8-pool-size=0 ${quoted(program)} ${name} "$@"\n`;
    writeFileSync(path.join(folder, name), script, { mode: 0o755 });
  }
}

/** NODE_OPTIONS that load `preload` into every Node program, before what `own` asks for. */
export function nodeOptions(preload: string, own = ""): string {
  const escaped = preload.replace(/["\\]/g, "\\$&");
  return `--require "${escaped}" ${own}`.trimEnd();
}
