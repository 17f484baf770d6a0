// Helm, unchanged, with a chart of our own: hooks that run Jobs and pods, waiting, history and the way back. Skips where there is no helm.
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "./harness.ts";
import { openShell, runUntil, type Shell } from "./shell.ts";

const CHART = new URL("../../fixtures/charts/shop", import.meta.url).pathname;

const hasHelm = (() => {
  try {
    execFileSync("helm", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();
if (!hasHelm) console.log("skipped: tests with Helm, as there is no helm on the PATH");

describe.skipIf(!hasHelm)("helm", () => {
  let cluster: Cluster;
  let shell: Shell;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2 });
    await cluster.kubectl("create", "namespace", "shop");
    shell = openShell(cluster, { namespace: "shop" });
  });
  afterAll(async () => {
    await shell?.close();
    await cluster?.stop();
  });

  const helm = async (command: string) => {
    const { code, stdout, stderr } = await shell.run(`helm ${command}`);
    if (code !== 0) throw new Error(`helm ${command}: exit ${code}\n${stdout}${stderr}`);
    return stdout;
  };
  const greeting = async () => (await shell.run("kubectl get cm web -o jsonpath='{.data.greeting}'")).stdout;

  test("install --wait runs the pre-install Job first and returns when every replica is ready", async () => {
    const said = await helm(`install web ${CHART} --wait --timeout 60s`);
    expect(said).toMatch(/STATUS: deployed\nREVISION: 1\n(.*\n)*web says hello with 2 replicas\./);
    expect((await shell.run("kubectl get deploy web")).stdout).toMatch(/\nweb +2\/2 +2 +2 /);
    expect((await shell.run("kubectl get job web-migrate -o jsonpath='{.status.succeeded}'")).stdout).toBe(
      "1",
    );
    expect((await shell.run("kubectl get cm web -o jsonpath='{.data.server}'")).stdout).toMatch(/^v1\.36\./);
    expect(await helm("list")).toMatch(/\nweb\s+shop\s+1\s+.*deployed\s+shop-0\.1\.0\s+1\.27/);
  });

  test("test runs the chart's test pod and takes it away when it has succeeded", async () => {
    expect(await helm("test web --timeout 60s")).toMatch(/TEST SUITE: +web-greets\n(.*\n)*Phase: +Succeeded/);
    expect((await shell.run("kubectl get pod web-greets")).stderr).toContain("NotFound");
  });

  test("a dry run, the manifest, the values and the status of a release are shown", async () => {
    expect(await helm(`upgrade web ${CHART} --dry-run --set greeting=later`)).toContain('greeting: "later"');
    expect(await helm("get manifest web")).toContain("kind: Deployment");
    expect(await helm("get values web --all")).toContain("replicas: 2");
    expect(await helm("status web")).toContain("STATUS: deployed");
    expect(await greeting()).toBe("hello");
  });

  test("upgrade --wait rolls the Deployment over", async () => {
    expect(
      await helm(`upgrade web ${CHART} --wait --timeout 60s --set greeting=hi,replicas=1,tag=1.28`),
    ).toContain("REVISION: 2");
    expect(await greeting()).toBe("hi");
    const image = "kubectl get pods -l app.kubernetes.io/instance=web -o jsonpath='{.items[*].spec..image}'";
    await runUntil(shell, image, /^nginx:1\.28$/);
  });

  test("an upgrade whose hook fails is marked failed, and --atomic goes back by itself", async () => {
    const failed = await shell.run(`helm upgrade web ${CHART} --timeout 30s --set migrationFails=true`);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/pre-upgrade hooks failed: job failed: BackoffLimitExceeded/);
    expect(await helm("list --all")).toMatch(/\nweb\s+shop\s+3\s+.*failed/);
    const atomic = await shell.run(
      `helm upgrade web ${CHART} --atomic --timeout 5s --set image=nginx,tag=1.161,replicas=1`,
    );
    expect(atomic.code).toBe(1);
    expect(atomic.stderr).toContain("rolled back due to atomic being set");
    expect(await helm("list")).toMatch(/\nweb\s+shop\s+5\s+.*deployed/);
  });

  test("rollback brings an earlier revision back, and the history tells", async () => {
    expect(await helm("rollback web 1 --wait --timeout 60s")).toContain("Rollback was a success");
    expect(await greeting()).toBe("hello");
    expect((await shell.run("kubectl get deploy web")).stdout).toMatch(/\nweb +2\/2 +2 +2 /);
    expect(await helm("history web")).toMatch(
      /\n1\s.*superseded.*Install complete\s*\n2\s.*superseded.*Upgrade complete\s*\n3\s.*failed.*\n4\s.*failed.*\n5\s.*superseded.*Rollback to 2\s*\n6\s.*deployed.*Rollback to 1\s*\n$/,
    );
  });

  test("uninstall --wait leaves nothing of the release but the hooks' Job", async () => {
    expect(await helm("uninstall web --wait --timeout 60s")).toBe('release "web" uninstalled\n');
    const left = await shell.run(
      "kubectl get deploy,rs,svc,cm,pods,secrets -l 'app.kubernetes.io/instance=web,!job-name' -o name",
    );
    expect(left.stdout).toBe("");
    expect(await helm("list --all")).toMatch(/^NAME\s+NAMESPACE.*\n$/);
  });
});
