// From words to a command: finds it in the declarations, runs it, and turns what goes wrong into one line on standard error and an exit
// code: 0 done, 1 failed, 2 usage.
import { Command, CommanderError, Option } from "commander";
import { type CommandDeclaration, UsageError } from "./command.ts";
import { locate, type Surroundings } from "./locate.ts";

export interface CommandLineOptions extends Surroundings {
  readonly commands: readonly CommandDeclaration[];
  readonly version: string;
  /** Gets help and the version. */
  readonly out: (text: string) => void;
  /** Gets the one line that says what went wrong. */
  readonly complain: (line: string) => void;
}

/** Runs the command that `argv` names and resolves with the exit code; never rejects. */
export async function runCommandLine(argv: readonly string[], options: CommandLineOptions): Promise<number> {
  let code = 0;
  const program = build(argv, options, (given) => {
    code = given;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      options.complain(`kubemu: ${explain(error, program, argv)}`);
      return 2;
    }
    const text = error instanceof Error ? error.message : String(error);
    options.complain(`kubemu: ${text.trim().replace(/\s*\n\s*/g, " ")}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function build(
  argv: readonly string[],
  options: CommandLineOptions,
  finish: (code: number) => void,
): Command {
  const output = { writeOut: options.out, writeErr: () => {} };
  const program = new Command("kubemu")
    .description("A Kubernetes cluster of real processes on one machine.")
    .version(options.version)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput(output)
    .showSuggestionAfterError(false);
  // Where one of them is named it is enough to know of the others that they exist.
  const isNamed = options.commands.some(({ name }) => name === argv[0]);
  for (const declared of options.commands) {
    const command = declare(program, declared, { withOptions: !isNamed || declared.name === argv[0] });
    command.action(async () => {
      const given = command.opts<Record<string, unknown>>();
      const place = locate(given, options);
      const run = await declared.load();
      finish(await run({ ...place, arguments: command.args, options: given }));
    });
  }
  return program;
}

function declare(
  program: Command,
  declared: CommandDeclaration,
  { withOptions }: { withOptions: boolean },
): Command {
  const command = program
    .command(`${declared.name} ${declared.arguments ?? ""}`.trim())
    .summary(declared.summary)
    .description(declared.summary);
  if (!withOptions) return command;
  command
    .option("--name <NAME>", "the cluster's name (kubemu)")
    .option("--data-dir <DIR>", "where the cluster keeps its data (a per-user state folder, by name)");
  for (const { flags, description, choices, repeat } of declared.options ?? []) {
    const option = new Option(flags, description);
    if (repeat) option.argParser((value, before: readonly string[] = []) => [...before, value]);
    command.addOption(choices ? option.choices([...choices]) : option);
  }
  if (declared.passThrough) command.passThroughOptions().allowUnknownOption();
  return command;
}

/** commander's refusals, in one line that says what is allowed. */
function explain(error: CommanderError, program: Command, argv: readonly string[]): string {
  const command = program.commands.find((each) => each.name() === argv[0]);
  const said = error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
  switch (error.code) {
    case "commander.unknownOption":
      return `${said}; allowed: ${(command ?? program).options.map(({ long }) => long).join(", ")}, --help`;
    case "commander.unknownCommand":
      return `${said}; allowed: ${names(program)}`;
    case "commander.help":
      return `a command is missing; allowed: ${names(program)}`;
    case "commander.missingArgument":
    case "commander.excessArguments":
      return command ? `${said}; usage: kubemu ${command.name()} ${command.usage()}` : said;
    default:
      return said;
  }
}

const names = (program: Command): string => program.commands.map((command) => command.name()).join(", ");
