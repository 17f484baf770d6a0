// Runs one case with one kubectl: its files are written, its steps run in order, and what they print is compared.
import { expect } from "vitest";
import { eventually, type Finished } from "../harness.ts";
import type { Shell } from "../shell.ts";
import type { Step, SurfaceCase } from "./case.ts";

/** Runs the steps; rejects with the first that is not as the case says. */
export async function runCase(
  shell: Shell,
  { files, steps }: Pick<SurfaceCase, "files" | "steps">,
): Promise<void> {
  for (const [name, text] of Object.entries(files ?? {})) shell.file(name, text);
  for (const step of steps) await runStep(shell, typeof step === "string" ? { run: step } : step);
}

async function runStep(shell: Shell, step: Step): Promise<void> {
  if (step.start !== undefined) return startStep(shell, step);
  const once = async () => {
    const finished = step.fetch === undefined ? await runCommand(shell, step) : await get(shell, step.fetch);
    check(step, finished);
    return finished;
  };
  const finished = step.retry ? await eventually(nameOf(step), once, 45_000).catch(withCause) : await once();
  if (step.save) shell.env[step.save] = saved(step, finished.stdout);
}

const nameOf = (step: Step) => step.run ?? step.start ?? `GET ${step.fetch}`;

function withCause(error: Error): never {
  throw error.cause instanceof Error
    ? new Error(`${error.message}: ${error.cause.message}`, { cause: error.cause })
    : error;
}

const runCommand = (shell: Shell, { run = "", input }: Step) => shell.run(run, input);

async function get(shell: Shell, address: string): Promise<Finished> {
  const url = address.replaceAll(/\$(\w+)/g, (_, name: string) => shell.env[name] ?? "");
  const response = await fetch(url, { headers: { connection: "close" } });
  return { code: response.ok ? 0 : 1, stdout: await response.text(), stderr: "" };
}

function check(step: Step, { code, stdout, stderr }: Finished): void {
  const said = `${nameOf(step)}\nexit ${code}\n${stdout}${stderr}`;
  expect(code, said).toBe(step.exit ?? 0);
  matches(step.out, stdout, said);
  matches(step.err, stderr, said);
}

function matches(expected: RegExp | string | undefined, actual: string, said: string): void {
  if (typeof expected === "string") expect(actual.replace(/\n$/, ""), said).toBe(expected);
  else if (expected) expect(actual, said).toMatch(expected);
}

async function startStep(shell: Shell, step: Step): Promise<void> {
  const started = shell.start(step.start ?? "");
  const looksRight = () => {
    check(step, { code: 0, stdout: started.output(), stderr: "" });
    return true;
  };
  await eventually(nameOf(step), looksRight, 30_000).catch(withCause);
  if (step.save) shell.env[step.save] = saved(step, started.output());
}

const saved = ({ out }: Step, text: string): string =>
  (out instanceof RegExp ? out.exec(text)?.[1] : undefined) ?? text.trim();
