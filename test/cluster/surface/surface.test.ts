// Every kubectl command and flag group (cases/) with every kubectl on the machine, all on one cluster, several at a time. What was seen is
// written to node_modules/.cache/kubemu/surface.json, of which `npm run compatibility` makes the table in docs/compatibility.md.
// The oldest and the newest kubectl run every case; the others share the cases among them, as a run of all takes twice as long.
// KUBEMU_SURFACE=all runs every case with every kubectl, KUBEMU_SURFACE=TEXT,TEXT those whose row contains one of the texts.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, hasKubectl, kubectlVersions, startCluster } from "../harness.ts";
import { openShell, runUntil } from "../shell.ts";
import { expectedResult, isSince, rowOf, type SurfaceCase } from "./case.ts";
import { surfaceCases } from "./cases.ts";
import { FIXTURE, SPARE_NODE } from "./fixture.ts";
import { type SurfaceResults, writeResults } from "./results.ts";
import { runCase } from "./run-case.ts";

const only = process.env["KUBEMU_SURFACE"];
const versions = kubectlVersions();

function casesFor(version: string): readonly SurfaceCase[] {
  if (only === "all") return surfaceCases;
  if (only !== undefined)
    return surfaceCases.filter((each) => only.split(",").some((text) => rowOf(each).includes(text)));
  const between = versions.slice(1, -1);
  const turn = between.indexOf(version);
  return turn < 0 ? surfaceCases : surfaceCases.filter((_, index) => index % between.length === turn);
}

const results: SurfaceResults = {};

/** Calls one after another what is passed to it, whatever becomes of the calls. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
}

describe.skipIf(!hasKubectl)("the surface of kubectl", () => {
  let cluster: Cluster;
  const withSpareNode = oneAtATime();

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 3 });
    await cluster.kubectl("taint", "node", SPARE_NODE, "surface=spare:NoSchedule");
    await Promise.all(
      versions.map(async (version) => {
        await cluster.kubectl("create", "namespace", namespaceOf(version));
        const shell = openShell(cluster, { namespace: namespaceOf(version), version });
        await shell.run("kubectl apply -f -", FIXTURE);
        await runUntil(
          shell,
          "kubectl wait --for=condition=Ready pods --all --timeout=60s",
          /shell(.*\n)*pod\/web/,
        );
        await shell.close();
      }),
    );
  });
  afterAll(async () => {
    writeResults(results, { cases: surfaceCases, versions });
    await cluster?.stop();
  });

  describe.each(versions)("%s", (version) => {
    let counter = 0;
    test.concurrent.each(casesFor(version).map((each) => [rowOf(each), each] as const))(
      "%s",
      async (row, each) => {
        const own = each.own ? `${namespaceOf(version)}-${++counter}` : undefined;
        if (own) await cluster.kubectl("create", "namespace", own);
        const shell = openShell(cluster, { namespace: own ?? namespaceOf(version), version });
        const work = () => (isSince(version, each.since) ? runCase(shell, each) : expectUnknown(each));
        const expectUnknown = async ({ steps, files }: SurfaceCase) => {
          await expect(
            runCase(shell, { ...each, files: files ?? {}, steps: steps.slice(0, 1) }),
          ).rejects.toThrow(
            /unknown (flag|shorthand flag|command)|unrecognized condition|API is not enabled/,
          );
        };
        try {
          await (each.node ? withSpareNode(work) : work());
          results[row] = { ...results[row], [version]: expectedResult(each, version) };
        } catch (error) {
          results[row] = { ...results[row], [version]: "fails" };
          throw error;
        } finally {
          await shell.close();
          if (own) await cluster.kubectl("delete", "namespace", own, "--wait=false");
        }
      },
    );
  });
});

const namespaceOf = (version: string) => `v${version.replace(".", "-")}`;
