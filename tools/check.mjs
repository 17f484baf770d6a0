// Types, lint and the unit tests (tidy among them), side by side. Prints each one's output when it ends; exits 1 if any failed.
import { spawn } from "node:child_process";

const jobs = {
  types: ["npm", ["run", "-s", "types"]],
  lint: ["npx", ["biome", "check", "."]],
  unit: ["npx", ["vitest", "run", "--project", "unit"]],
};
const results = await Promise.all(
  Object.entries(jobs).map(
    ([name, [command, args]]) =>
      new Promise((resolve) => {
        const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
        let output = "";
        child.stdout.on("data", (chunk) => (output += chunk));
        child.stderr.on("data", (chunk) => (output += chunk));
        child.on("close", (code) => {
          process.stdout.write(`--- ${name}: ${code === 0 ? "ok" : "FAILED"}\n${code === 0 ? "" : output}`);
          resolve(code);
        });
      }),
  ),
);
process.exit(results.every((code) => code === 0) ? 0 : 1);
