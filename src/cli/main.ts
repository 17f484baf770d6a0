#!/usr/bin/env node
// The program `kubemu`: finds the command in declarations.ts and runs it. Exit codes: 0 done, 1 failed, 2 usage; a failure is
// one line on standard error that names the thing.
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { Command, CommanderError, Option } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { type CommandDeclaration, type Invocation, UsageError } from "./command.ts";
import { commands } from "./declarations.ts";

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

function locate(options: Record<string, unknown>): Pick<Invocation, "name" | "dataDir"> {
  const name = typeof options["name"] === "string" ? options["name"] : "kubemu";
  if (!DNS_LABEL.test(name))
    throw new UsageError(
      `--name takes a DNS label (lower case letters, digits and '-', at most 63), not ${JSON.stringify(name)}`,
    );
  const state = process.env["XDG_STATE_HOME"] || join(homedir(), ".local", "state");
  const dataDir =
    typeof options["dataDir"] === "string" ? resolve(options["dataDir"]) : join(state, "kubemu", name);
  return { name, dataDir };
}

function build(finish: (code: number) => void): Command {
  const program = new Command("kubemu")
    .description("A Kubernetes cluster of real processes on one machine.")
    .version(manifest.version)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showSuggestionAfterError(false);
  for (const declared of commands) declare(program, declared, finish);
  return program;
}

function declare(program: Command, declared: CommandDeclaration, finish: (code: number) => void): void {
  const command = program
    .command(`${declared.name} ${declared.arguments ?? ""}`.trim())
    .summary(declared.summary)
    .description(declared.summary)
    .option("--name <NAME>", "the cluster's name", "kubemu")
    .option("--data-dir <DIR>", "where the cluster keeps its data (a per-user state folder, by name)")
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  for (const { flags, description, choices } of declared.options ?? []) {
    const option = new Option(flags, description);
    command.addOption(choices ? option.choices([...choices]) : option);
  }
  if (declared.passThrough) command.passThroughOptions().allowUnknownOption();
  command.action(async () => {
    const options = command.opts<Record<string, unknown>>();
    const run = await declared.load();
    finish(await run({ ...locate(options), arguments: command.args, options }));
  });
}

/** commander's refusals, in one line that says what is allowed. */
function explain(error: CommanderError, program: Command, argv: readonly string[]): string {
  const command = program.commands.find((each) => each.name() === argv[0]);
  const said = error.message.replace(/^error: /, "");
  if (error.code === "commander.unknownOption") {
    const allowed = (command ?? program).options.map(({ long }) => long).join(", ");
    return `${said}; allowed: ${allowed}, --help`;
  }
  if (error.code === "commander.unknownCommand" || error.code === "commander.help")
    return `${error.code === "commander.help" ? "a command is missing" : said}; allowed: ${commands.map(({ name }) => name).join(", ")}`;
  return said.replace(/\n/g, " ");
}

async function main(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = build((given) => {
    code = given;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError) {
      process.stderr.write(`kubemu: ${explain(error, program, argv)}\n`);
      return 2;
    }
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`kubemu: ${text}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
