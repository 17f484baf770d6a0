// Who carries Services' connections: asked for, and found out by programming a table for a moment (docs/decisions/0006-nftables.md).
import { spawn } from "node:child_process";
import type { ProxyMode } from "../process/settings.ts";

/** `auto`: nftables where it may be programmed. */
export type ProxyModeWish = ProxyMode | "auto";

export interface ChosenMode {
  readonly mode: ProxyMode;
  /** Why `auto` has not chosen nftables. */
  readonly note?: string;
}

/** Throws one line where nftables was asked for and cannot be had. */
export async function chooseProxyMode(
  wish: ProxyModeWish = "userspace",
  { singleAddress, probe = whyNoNftables }: { singleAddress: boolean; probe?: typeof whyNoNftables },
): Promise<ChosenMode> {
  if (wish === "userspace") return { mode: "userspace" };
  const problem = singleAddress ? "every Service shares one address" : await probe();
  if (problem === undefined) return { mode: "nftables" };
  if (wish === "auto") return { mode: "userspace", note: `nftables cannot be used: ${problem}` };
  throw new Error(`--proxy-mode nftables cannot be used: ${problem}; --proxy-mode auto takes userspace then`);
}

// One of each kind of rule that the proxy sets; the table is nft's own, so that the kernel removes it when nft ends.
const probeCommands = (table: string) => `
add table ip ${table} { flags owner; }
add map ip ${table} services { type ipv4_addr . inet_service : verdict; }
add set ip ${table} clients { type ipv4_addr; flags dynamic,timeout; timeout 1s; }
add chain ip ${table} output { type nat hook output priority -100; }
add chain ip ${table} service
add rule ip ${table} service update @clients { ip saddr }
add rule ip ${table} service ip protocol tcp dnat to numgen inc mod 1 map { 0 : 127.0.0.1 . 9 }
add element ip ${table} services { 127.0.0.1 . 9 : goto service }
delete element ip ${table} services { 127.0.0.1 . 9 }
`;
const PROBE_TIMEOUT_MS = 5_000;
// What a shell ends with where there is no such program.
const NOT_FOUND = 127;

/** Undefined where this process may program the kernel's rules, with all that is needed; else why not. */
export function whyNoNftables(): Promise<string | undefined> {
  return new Promise((resolve) => {
    // Interactive, as the proxy runs it: some builds cannot be.
    const child = spawn("sh", ["-c", "HOME=/dev/null exec nft -i"], {
      stdio: ["pipe", "ignore", "pipe"],
      timeout: PROBE_TIMEOUT_MS,
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    child.stdin.on("error", () => {});
    child.once("error", (error) => resolve(`nft cannot be started: ${error.message}`));
    child.once("close", (code) => {
      if (code === NOT_FOUND) return resolve("there is no program nft");
      const [, problem] = /Error: ([^\n]*)/.exec(said) ?? [];
      resolve(problem ?? (code === 0 ? undefined : said.trim().split("\n")[0] || "nft failed"));
    });
    const commands = probeCommands(`kubemu-probe-${process.pid}`).trim().split("\n").join("; ");
    child.stdin.end(`${commands}\n`);
  });
}
