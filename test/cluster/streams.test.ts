// attach, run -i, exec, cp and debug with every kubectl there is: what goes in comes out, whole, and the session ends in good order.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCommand } from "../../agents/node/containers/process.ts";
import { canMakeTerminal } from "../../agents/node/containers/terminal.ts";
import {
  type Cluster,
  eventually,
  hasKubectl,
  kubectlPath,
  kubectlVersions,
  startCluster,
} from "./harness.ts";

const VERSIONS = kubectlVersions();
const nameOf = (what: string, version: string) => `${what}-${version.replace(".", "-")}`;

let cluster: Cluster;
beforeAll(async () => {
  if (hasKubectl) cluster = await startCluster({ nodes: 1 });
}, 120_000);
afterAll(() => cluster?.stop());

const pod = (name: string, container: object) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 0,
      restartPolicy: "Never",
      containers: [{ name: "box", image: "busybox:1.28", ...container }],
    },
  });
const phaseOf = (name: string) => cluster.kubectl("get", "pod", name, "-o", "jsonpath={.status.phase}");

/** A kubectl in a terminal of its own, as a person has it: it has its size before kubectl looks at it. */
async function openTerminal(
  args: readonly string[],
  { version, columns = 100, rows = 30 }: { version?: string; columns?: number; rows?: number } = {},
) {
  const kubectl = [kubectlPath(version), "--kubeconfig", join(cluster.dataDir, "kubeconfig"), ...args];
  const child = await startCommand(
    { prefix: [], containerProgram: "" },
    {
      argv: ["sh", "-c", `stty rows ${rows} cols ${columns}; exec "$@"`, "sh", ...kubectl],
      env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "" },
      cwd: cluster.dataDir,
      stdin: true,
      tty: true,
    },
  );
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  return {
    type: (text: string) => child.stdin?.write(text),
    resize: (size: { columns: number; rows: number }) => child.resize?.(size),
    output: () => output,
    hangUp: () => child.signal("SIGKILL"),
    ended: child.exited.then(({ code }) => code),
  };
}

/** A kubectl that goes on while the test types and reads. */
function open(args: readonly string[], version?: string) {
  const child = spawn(kubectlPath(version), ["--kubeconfig", join(cluster.dataDir, "kubeconfig"), ...args]);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  return {
    type: (text: string) => child.stdin.write(text),
    output: () => output,
    hangUp: () => child.kill("SIGKILL"),
    ended: new Promise<number | null>((resolve) => child.once("close", resolve)),
  };
}

describe.skipIf(!hasKubectl)("run -i and attach", () => {
  test("run -i --rm shows all that a quick command prints, with every kubectl", async () => {
    const script = "echo first; echo second >&2; echo third; exit 3";
    for (const version of VERSIONS) {
      const { code, stdout, stderr } = await cluster.tryKubectl(
        [
          ..."run -i --rm --restart=Never --image=busybox:1.28".split(" "),
          nameOf("quick", version),
          ...["--", "sh", "-c", script],
        ],
        { version },
      );
      const all = `${stdout}${stderr}`;
      for (const line of ["first\n", "second\n", "third\n"]) expect(all).toContain(line);
      expect(all).not.toContain("falling back");
      expect({ version, code }).toEqual({ version, code: 3 });
    }
  });

  test("run -i passes the input on, and its end", async () => {
    for (const version of VERSIONS) {
      const { code, stdout } = await cluster.tryKubectl(
        [
          ..."run -i --rm --restart=Never --image=busybox:1.28".split(" "),
          nameOf("count", version),
          ...["--", "sh", "-c", "echo ready; wc -l"],
        ],
        { version, input: "one\ntwo\n".repeat(500) },
      );
      expect(stdout).toMatch(/ready\n\s*1000\n/);
      expect(code).toBe(0);
    }
  });

  test("the first attach shows what was printed before, the next what comes then", async () => {
    const script = "echo early; while read line; do echo got $line; done";
    await cluster.apply(pod("talks", { stdin: true, command: ["sh", "-c", script] }));
    await eventually("it has spoken", async () => (await cluster.kubectl("logs", "talks")) === "early\n");
    // Without stdinOnce the input stays open for the next who attaches.
    for (const [typed, heard] of [
      ["one", "early\ngot one\n"],
      ["two", "got two\n"],
    ]) {
      const session = open(["attach", "-i", "talks"]);
      session.type(`${typed}\n`);
      await eventually("an answer", () => session.output().includes(`got ${typed}\n`));
      expect(session.output()).toBe(heard);
      session.hangUp();
      await session.ended;
    }
    expect(await phaseOf("talks")).toBe("Running");
  });

  test("a container without stdin is shown from now on, to its end", async () => {
    const script = "n=0; until [ -e $KUBEMU_ROOT/go ]; do n=$((n+1)); echo $n; sleep 0.1; done; echo end";
    await cluster.apply(pod("deaf", { command: ["sh", "-c", script] }));
    await eventually("it speaks", async () => (await cluster.kubectl("logs", "deaf")).includes("5\n"));
    const session = open(["attach", "deaf"]);
    await eventually("it is heard", () => session.output() !== "");
    expect(session.output()).not.toMatch(/^1\n/);
    await cluster.kubectl("exec", "deaf", "--", "sh", "-c", "touch $KUBEMU_ROOT/go");
    expect(await session.ended).toBe(0);
    expect(session.output()).toMatch(/\nend\n$/);
  });
});

describe.skipIf(!hasKubectl || !canMakeTerminal())("terminals", () => {
  test("run -it --rm gives a shell with a terminal, with every kubectl", async () => {
    for (const version of VERSIONS) {
      const args = "run -it --rm --restart=Never --image=busybox:1.28".split(" ");
      const session = await openTerminal([...args, nameOf("shell", version), "--", "sh"], { version });
      await eventually("the shell is there", () => /[#$] $/.test(session.output()));
      // The size follows the start, as in Kubernetes.
      await eventually("the size", async () => {
        session.type("stty size\r");
        await new Promise((resolve) => setTimeout(resolve, 50));
        return session.output().includes("30 100\r\n");
      });
      session.type("exit 5\r");
      expect({ version, code: await session.ended }).toEqual({ version, code: 5 });
      expect(session.output()).toContain("deleted");
    }
  });

  test("exec -it has a terminal, hears of new sizes and of Ctrl-C, with every kubectl", async () => {
    await cluster.apply(pod("home", { command: ["sleep", "3600"] }));
    await cluster.kubectl("wait", "--for=condition=Ready", "pod/home", "--timeout=60s");
    const script =
      "trap 'stty size' WINCH; trap 'echo bye; exit 6' INT; echo ready; while :; do sleep 0.05; done";
    for (const version of VERSIONS) {
      const session = await openTerminal(["exec", "-it", "home", "--", "sh", "-c", script], { version });
      await eventually("it runs", () => session.output().includes("ready"));
      session.resize({ columns: 120, rows: 40 });
      await eventually("the new size", () => session.output().includes("40 120\r\n"));
      session.type("\u0003");
      expect({ version, code: await session.ended }).toEqual({ version, code: 6 });
      expect(session.output()).toContain("bye\r\n");
    }
  });

  test("a shell stays when its terminal is left, and can be attached to again", async () => {
    await cluster.apply(pod("stays", { stdin: true, tty: true, command: ["sh"] }));
    await cluster.kubectl("wait", "--for=condition=Ready", "pod/stays", "--timeout=60s");
    for (const word of ["one", "two"]) {
      const session = await openTerminal(["attach", "-it", "stays"]);
      session.type(`echo $((1+1))${word}\r`);
      await eventually("an answer", () => session.output().includes(`2${word}`));
      session.hangUp();
      await session.ended;
    }
    expect(await phaseOf("stays")).toBe("Running");
    expect(await cluster.kubectl("logs", "stays")).toContain("2one\r\n");
  });
});

describe.skipIf(!hasKubectl)("cp", () => {
  test("copies files and folders both ways, with old and new kubectls", async () => {
    await cluster.apply(
      pod("files", { image: "nginx", volumeMounts: [{ name: "data", mountPath: "/data" }] }).replace(
        '"restartPolicy"',
        '"volumes":[{"name":"data","emptyDir":{}}],"restartPolicy"',
      ),
    );
    await cluster.kubectl("wait", "--for=condition=Ready", "pod/files", "--timeout=60s");
    const here = join(cluster.dataDir, "copies");
    mkdirSync(join(here, "tree/deep"), { recursive: true });
    writeFileSync(join(here, "tree/deep/leaf"), "leaf\n");
    writeFileSync(join(here, "index.html"), "copied\n");
    const cp = async (from: string, to: string, version: string) => {
      const { code, stderr } = await cluster.tryKubectl(["cp", from, to], { version });
      expect({ version, code, stderr }).toEqual({ version, code: 0, stderr: "" });
    };
    for (const version of new Set([VERSIONS[0], VERSIONS.at(-1)] as string[])) {
      // A folder that a volume has, one that nobody made, and back again.
      await cp(join(here, "tree"), `files:/data/${version}`, version);
      await cp(join(here, "index.html"), `files:/usr/share/nginx/html/${version}.html`, version);
      await cp(`files:/data/${version}`, join(here, `back-${version}`), version);
      await cp("files:/etc/hosts", join(here, `hosts-${version}`), version);
      expect(readFileSync(join(here, `back-${version}/deep/leaf`), "utf8")).toBe("leaf\n");
      expect(readFileSync(join(here, `hosts-${version}`), "utf8")).toContain(
        "# Kubernetes-managed hosts file.",
      );
      const served = await cluster.kubectl(
        "get",
        "--raw",
        `/api/v1/namespaces/default/pods/files/proxy/${version}.html`,
      );
      expect(served).toBe("copied\n");
    }
    const missing = await cluster.tryKubectl(["exec", "files", "--", "tar", "cf", "-", "/data/nothing"]);
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining("No such file or directory") });
  });
});
