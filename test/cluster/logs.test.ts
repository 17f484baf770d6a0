// The options of kubectl logs, with the oldest and the newest kubectl there is.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, eventually, hasKubectl, kubectlVersions, startCluster } from "./harness.ts";

const PODS = ["one", "two"]
  .map(
    (name) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: talks}}
spec:
  restartPolicy: Never
  initContainers: [{name: init, image: "busybox:1.28", command: [sh, -c, "echo ${name} init"]}]
  containers:
  - {name: main, image: "busybox:1.28", command: [sh, -c, "echo ${name} first; sleep 3; echo ${name} last"]}
  - {name: side, image: "busybox:1.28", command: [sh, -c, "echo ${name} side"]}
`,
  )
  .join("---");

let cluster: Cluster;
beforeAll(async () => {
  if (!hasKubectl) return;
  cluster = await startCluster({ nodes: 1 });
  await cluster.apply(PODS);
}, 120_000);
afterAll(() => cluster?.stop());

describe.skipIf(!hasKubectl)("kubectl logs", () => {
  const versions = [...new Set([kubectlVersions()[0], kubectlVersions().at(-1)])] as string[];
  const sorted = (text: string) => text.split("\n").filter(Boolean).sort();

  test.each(versions)("with kubectl %s", async (version) => {
    const logs = async (...args: string[]) => {
      const { code, stdout, stderr } = await cluster.tryKubectl(["logs", ...args], { version });
      expect({ args, code, stderr }).toMatchObject({ args, code: 0 });
      return stdout;
    };
    await eventually("all is said", async () => {
      const said = await Promise.all(
        ["one", "two"].map((name) => cluster.kubectl("logs", name, "-c", "main")),
      );
      return said.every((text) => text.includes("last"));
    });
    expect(await logs("one", "-c", "init")).toBe("one init\n");
    // The first of several containers is meant where none is named.
    expect(await logs("one")).toBe("one first\none last\n");
    expect(await logs("one", "-c", "main", "--tail=1")).toBe("one last\n");
    expect(await logs("one", "-c", "main", "--limit-bytes=7")).toBe("one fir");
    expect(sorted(await logs("one", "--all-containers"))).toEqual([
      "one first",
      "one init",
      "one last",
      "one side",
    ]);
    expect(sorted(await logs("-l", "app=talks", "-c", "side", "--prefix"))).toEqual([
      "[pod/one/side] one side",
      "[pod/two/side] two side",
    ]);
    expect(await logs("one", "-c", "main", "-f")).toBe("one first\none last\n");
    const stamped = await logs("one", "-c", "main", "--timestamps");
    const stamps = /^(\S+Z) one first\n(\S+Z) one last\n$/.exec(stamped);
    expect(Date.parse(stamps?.[2] ?? "") - Date.parse(stamps?.[1] ?? "")).toBeGreaterThan(2000);
    expect(await logs("one", "-c", "main", `--since-time=${stamps?.[2]}`)).toBe("one last\n");
    expect(await logs("one", "-c", "main", "--since=1h")).toBe("one first\none last\n");
    const wrong = await cluster.tryKubectl(["logs", "one", "-c", "none"], { version });
    expect(wrong).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("container none is not valid for pod one"),
    });
  });
});
