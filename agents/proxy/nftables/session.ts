// One `nft` that stays: each transaction is a file that it is told to read. The tables that it makes are its own (`flags owner`), so the
// kernel removes them when it ends, and it ends when its input does: with this process, however that dies.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

// Any command whose answer cannot be taken for another's, read after the transaction: it says that that is through.
const MARK = "describe mark";
const MARK_ANSWER = "basetype integer";

export interface NftSession {
  /** Commits all of the commands or none; rejects with nft's words. One at a time. */
  run(commands: readonly string[]): Promise<void>;
  /** Resolves when nft is gone, and its tables with it. */
  readonly ended: Promise<void>;
  /** Ends it. */
  stop(): Promise<void>;
}

export interface NftOptions {
  /** Where the transactions are written, one over the other. */
  readonly folder: string;
  /** The file's name, a plain word. */
  readonly file: string;
}

export function startNft({ folder, file }: NftOptions): NftSession {
  // The shell joins the two outputs, so that an error comes before the mark. Without a home nft keeps no history.
  const child = spawn("sh", ["-c", "HOME=/dev/null exec nft -i 2>&1"], {
    cwd: folder,
    stdio: ["pipe", "pipe", "ignore"],
  });
  let heard = "";
  let answer: ((heard: string | undefined) => void) | undefined;
  const over = () => {
    answer?.(undefined);
    answer = undefined;
  };
  child.stdin.on("error", () => {});
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    heard += text;
    if (!heard.includes(MARK_ANSWER) || !heard.endsWith("\n")) return;
    const whole = heard;
    heard = "";
    answer?.(whole);
    answer = undefined;
  });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  }).then(over);

  return {
    ended,
    async run(commands) {
      writeFileSync(join(folder, file), `${commands.join("\n")}\n`, { mode: 0o600 });
      const said = await new Promise<string | undefined>((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined)
          return resolve(undefined);
        answer = resolve;
        child.stdin.write(`include "./${file}"\n${MARK}\n`);
      });
      if (said === undefined) throw new Error("nft has ended");
      const problem = /Error: .*/.exec(said);
      if (problem) throw new Error(problem[0]);
    },
    async stop() {
      child.stdin.end();
      child.kill("SIGKILL");
      await ended;
    },
  };
}
