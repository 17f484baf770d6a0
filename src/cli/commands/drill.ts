// `kubemu drill run FILE|NAME`, `list`, `show NAME`, `schema`.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DrillCluster } from "../../drill/cluster.ts";
import type { Drill } from "../../drill/drill.ts";
import { drillSchema, readDrill } from "../../drill/file/read-drill.ts";
import { reportHtml } from "../../drill/report/html.ts";
import { reportJunit } from "../../drill/report/junit.ts";
import { type DrillReport, reportJson } from "../../drill/report/report.ts";
import { reportTable } from "../../drill/report/table.ts";
import { runDrill } from "../../drill/run-drill.ts";
import { type Invocation, parseCount, UsageError } from "../command.ts";
import { command } from "../connect.ts";
import { drillProgress } from "../drill-progress.ts";
import { objectsIn } from "../manifest-files.ts";
import { note, type Session, say, withSession } from "../session.ts";
import { formatTable } from "../table.ts";

const LARGEST_SEED = 2 ** 32 - 1;
// 128 and the number of SIGINT, as shells have it.
const INTERRUPTED = 130;

const FORMATS: Readonly<Record<string, (report: DrillReport) => string>> = {
  json: reportJson,
  junit: reportJunit,
  html: reportHtml,
};

const ACTIONS: Readonly<
  Record<string, (invocation: Invocation, name: string | undefined) => Promise<number>>
> = {
  run,
  async list() {
    const rows = builtins().map(({ name, file }) => [name, readFile(file).description]);
    process.stdout.write(formatTable([["NAME", "WHAT IT DOES"], ...rows]));
    return 0;
  },
  async show(_, name) {
    process.stdout.write(readFileSync(fileOf(name), "utf8"));
    return 0;
  },
  async schema() {
    say(JSON.stringify(drillSchema(), null, 2));
    return 0;
  },
};

export async function drill(invocation: Invocation): Promise<number> {
  const [action = "", name, ...more] = invocation.arguments;
  const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (!act)
    throw new UsageError(
      `unknown action ${JSON.stringify(action)}; allowed: ${Object.keys(ACTIONS).join(", ")}`,
    );
  if (more.length > 0) throw new UsageError("drill takes one action and one FILE or NAME");
  return act(invocation, name);
}

async function run(invocation: Invocation, name: string | undefined): Promise<number> {
  const { options } = invocation;
  const file = fileOf(name);
  const read = readFile(file);
  const seed = options["seed"];
  const drill: Drill =
    seed === undefined ? read : { ...read, seed: parseCount("--seed", String(seed), [0, LARGEST_SEED]) };
  return withSession(invocation, async (session) => {
    const stop = new AbortController();
    const onSignal = () => {
      note(
        stop.signal.aborted ? "still taking back what was broken" : "stopping: taking back what was broken",
      );
      stop.abort();
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
    const progress = drillProgress(process.stderr);
    try {
      const report = await runDrill(clusterOf(invocation, session), drill, {
        file,
        keep: options["keep"] === true,
        signal: stop.signal,
        progress: progress.show,
      });
      progress.end();
      process.stdout.write(reportTable(report));
      for (const [option, write] of Object.entries(FORMATS))
        if (typeof options[option] === "string") writeFileSync(options[option], write(report));
      return report.interrupted ? INTERRUPTED : report.passed ? 0 : 1;
    } finally {
      progress.end();
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    }
  });
}

function clusterOf(invocation: Invocation, { client, types }: Session): DrillCluster {
  return {
    name: invocation.name,
    dataDir: invocation.dataDir,
    trafficProgram: join(HERE, "traffic.js"),
    client,
    typeOf(word) {
      const [type] = types.resolve(word);
      if (!type) throw new Error(`the server doesn't have a resource type ${JSON.stringify(word)}`);
      return type.resource;
    },
    byKind: (apiVersion, kind) => types.byKind(apiVersion, kind).resource,
    command: (wanted) => command(invocation, wanted),
    readManifests: objectsIn,
  };
}

const HERE = dirname(fileURLToPath(import.meta.url));
/** Beside dist/ in the package. */
const BUILTIN = join(HERE, "..", "drills");

function builtins(): { name: string; file: string }[] {
  return readdirSync(BUILTIN)
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .map((name) => ({ name: basename(name, ".yaml"), file: join(BUILTIN, name) }));
}

/** A built-in drill's file by its name, or the file itself. */
function fileOf(name: string | undefined): string {
  const all = builtins();
  const names = all.map((each) => each.name).join(", ");
  if (name === undefined) throw new UsageError(`give a drill's FILE, or the NAME of one of: ${names}`);
  const builtin = all.find((each) => each.name === name);
  if (builtin) return builtin.file;
  if (!existsSync(name))
    throw new UsageError(`there is no file ${name}, and no drill of that name: ${names}`);
  if (!statSync(name).isFile()) throw new UsageError(`${name} is no file`);
  return name;
}

const readFile = (file: string): Drill => readDrill(readFileSync(file, "utf8"), file);
