// kubectl rollout for every kind that has one, with the oldest and the newest kubectl: status, history, undo, pause, resume, restart.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, eventually, hasKubectl, startCluster } from "./harness.ts";
import { type Kubectl, kubectlIn, oldestAndNewest } from "./kubectl-in.ts";

const manifest = (kind: string, name: string, spec = "") => `apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${name}}
spec:
${spec}  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: web, image: "nginx:1.25"}
`;
const lines = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd());

describe.skipIf(!hasKubectl)("kubectl rollout", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2 });
  });
  afterAll(() => cluster?.stop());

  describe.each(oldestAndNewest())("with kubectl %s", (version) => {
    let kubectl: Kubectl;
    beforeAll(async () => {
      kubectl = await kubectlIn(cluster, `rollouts-${(version ?? "own").replace(".", "-")}`, version);
    });
    const image = (object: string) =>
      kubectl("get", object, "-o", "jsonpath={.spec.template.spec.containers[0].image}");
    const rolledOut = (object: string) => kubectl("rollout", "status", object, "--timeout=60s");
    const history = async (object: string) => lines(await kubectl("rollout", "history", object));
    const podImages = async (app: string) => {
      const path = "jsonpath={range .items[*]}{.spec.containers[0].image} {end}";
      return new Set((await kubectl("get", "pods", "-l", `app=${app}`, "-o", path)).trim().split(" "));
    };

    test("a Deployment that cannot roll out keeps serving, says so, exits 1, and is healed by undo", async () => {
      await kubectl.apply(manifest("Deployment", "web", "  replicas: 3\n  progressDeadlineSeconds: 2\n"));
      await rolledOut("deployment/web");
      await kubectl("set", "image", "deployment/web", "web=nginx:1.161", "--record");
      const status = await kubectl.attempt("rollout", "status", "deployment/web", "--timeout=60s");
      expect(status.code).toBe(1);
      expect(status.stderr).toContain('error: deployment "web" exceeded its progress deadline');
      expect(await kubectl("get", "deployment", "web", "--no-headers")).toMatch(/^web +3\/3 +1 +3 /);
      const described = await kubectl("describe", "deployment", "web");
      expect(described).toMatch(/Progressing +False +ProgressDeadlineExceeded/);
      expect(described).toMatch(/OldReplicaSets: +web-\w+ \(3\/3 replicas created\)/);
      const [, , first, second] = await history("deployment/web");
      expect(first).toMatch(/^1 +<none>$/);
      expect(second).toMatch(/^2 +kubectl.* set image deployment\/web web=nginx:1\.161 .*--record=true$/);
      expect(await kubectl("rollout", "history", "deployment/web", "--revision=2")).toMatch(
        /Image:\tnginx:1\.161/,
      );
      expect(await kubectl("rollout", "undo", "deployment/web")).toContain("rolled back");
      expect(await rolledOut("deployment/web")).toContain('deployment "web" successfully rolled out');
      expect(await image("deployment/web")).toBe("nginx:1.25");
      expect((await history("deployment/web")).slice(2).map((line) => line.split(" ")[0])).toEqual([
        "2",
        "3",
      ]);
    });

    test("a paused Deployment changes nothing until it is resumed", async () => {
      await kubectl.apply(manifest("Deployment", "still", "  replicas: 2\n"));
      await rolledOut("deployment/still");
      await kubectl("rollout", "pause", "deployment/still");
      await kubectl("set", "image", "deployment/still", "web=nginx:1.26");
      const undo = await kubectl.attempt("rollout", "undo", "deployment/still", "--to-revision=1");
      expect(undo.code).toBe(1);
      expect(undo.stderr).toContain("you cannot rollback a paused deployment");
      expect(await podImages("still")).toEqual(new Set(["nginx:1.25"]));
      await kubectl("rollout", "resume", "deployment/still");
      await rolledOut("deployment/still");
      await eventually("only new pods", async () => (await podImages("still")).has("nginx:1.25") === false);
    });

    test.each([
      ["StatefulSet", "statefulset", "  serviceName: db\n  replicas: 2\n"],
      ["DaemonSet", "daemonset", ""],
    ])("a %s has a history, goes back in it, and restarts", async (kind, resource, spec) => {
      const name = `h-${resource}`;
      const object = `${resource}/${name}`;
      await kubectl.apply(manifest(kind, name, spec));
      await rolledOut(object);
      await kubectl("set", "image", object, "web=nginx:1.26", "--record");
      await rolledOut(object);
      expect(await podImages(name)).toEqual(new Set(["nginx:1.26"]));
      expect(await history(object)).toEqual([
        `${resource}.apps/${name}`,
        expect.stringMatching(/^REVISION +CHANGE-CAUSE$/),
        expect.stringMatching(/^1 +<none>$/),
        expect.stringMatching(/^2 +kubectl.* set image .*--record=true$/),
      ]);
      expect(await kubectl("rollout", "history", object, "--revision=1")).toMatch(/Image:\s+nginx:1\.25/);
      // kubectl compares what it would send with what the revision holds, byte by byte.
      expect(await kubectl("rollout", "undo", object, "--to-revision=2")).toContain(
        "skipped rollback (current template already matches revision 2)",
      );
      expect(await kubectl("rollout", "undo", object, "--to-revision=1")).toContain("rolled back");
      await rolledOut(object);
      expect(await image(object)).toBe("nginx:1.25");
      expect((await history(object)).slice(2).map((line) => line.split(" ")[0])).toEqual(["2", "3"]);
      const unknown = await kubectl.attempt("rollout", "undo", object, "--to-revision=99");
      expect(unknown.stderr).toContain("unable to find specified revision 99 in history");
      const before = await kubectl(
        "get",
        "pods",
        "-l",
        `app=${name}`,
        "-o",
        "jsonpath={.items[*].metadata.uid}",
      );
      await kubectl("rollout", "restart", object);
      await rolledOut(object);
      const after = await kubectl(
        "get",
        "pods",
        "-l",
        `app=${name}`,
        "-o",
        "jsonpath={.items[*].metadata.uid}",
      );
      expect(after.split(" ").filter((uid) => before.includes(uid))).toEqual([]);
      const paused = await kubectl.attempt("rollout", "pause", object);
      expect(paused.stderr).toContain("pausing is not supported");
    });
  });
});
