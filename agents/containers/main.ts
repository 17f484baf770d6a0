// dist/container.js: one process of a built-in image. Starts empty, becomes a container when its node agent says
// which, and ends when the agent is gone. Imports stay few: this is the process there are most of.
import type http from "node:http";
import { createContainer } from "./container.ts";
import { programs } from "./programs.ts";
import { type Assignment, isAssignment } from "./protocol.ts";

process.once("message", (message) => {
  if (!isAssignment(message)) process.exit(2);
  become(message).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
});
process.on("disconnect", () => process.exit(0));

async function become(assignment: Assignment): Promise<void> {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, assignment.env);
  process.chdir(assignment.cwd);
  const program = programs[assignment.program];
  if (!program) {
    process.stderr.write(`exec: "${assignment.program}": executable file not found in $PATH\n`);
    process.exit(127);
  }
  const servers: http.Server[] = [];
  const container = createContainer(assignment);
  program({
    ...container,
    serve(port, answer) {
      const server = container.serve(port, answer);
      servers.push(server);
      return server;
    },
  });
  await Promise.all(
    servers.map((server) => server.listening || new Promise((resolve) => server.once("listening", resolve))),
  );
  process.send?.({ listening: true });
  // What has a server stays up by it; the channel alone must not end or keep a program that has finished.
  if (servers.length > 0) process.channel?.unref();
}
