// `kubemu describe` beside kubectl's, line by line, for an object or several of every kind that has words of its own (fixtures/described).
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, eventually, hasKubectl, startCluster } from "./harness.ts";

let cluster: Cluster;

beforeAll(async () => {
  if (!hasKubectl) return;
  cluster = await startCluster({ folders: ["fixtures/quickstart"] });
  await cluster.kubectl("apply", "-f", "fixtures/described");
  const isDone = (what: readonly string[]) => cluster.kubectl("wait", "--timeout=60s", ...what);
  await Promise.all([
    isDone(["--for=condition=Complete", "job/once"]),
    isDone(["--for=condition=Failed", "job/counted"]),
    isDone(["--for=jsonpath={.status.phase}=Bound", "pvc/bound", "pvc/data-store-0"]),
    isDone(["--for=jsonpath={.status.numberAvailable}=3", "ds/everywhere"]),
    isDone(["--for=condition=Ready", "pod/reader"]),
  ]);
});
afterAll(async () => {
  await cluster?.stop();
});

// What grows between two looks: ages, and the counts of events that repeat.
const still = (text: string): string =>
  text
    .replace(/\(x\d+ over \S+\)/g, "")
    .replace(/\b(\d+m)?\d+[sm]\b(?=\s)/g, "AGE")
    .replace(/(RenewTime|LastHeartbeatTime):.*/g, "$1")
    .replace(/^( {2}\w+(?:Pressure|Ready) .*?) \w{3}, [^+]* \+0000/gm, "$1")
    .replace(/ +/g, " ")
    .replace(/-{2,}/g, "--");

describe.skipIf(!hasKubectl)("described as kubectl does", () => {
  test.each([
    ["sts"],
    ["ds"],
    ["rc"],
    ["job"],
    ["cj"],
    ["pvc"],
    ["pv"],
    ["sc"],
    ["hpa"],
    ["pdb"],
    ["pc"],
    ["sa"],
    ["secret"],
    ["cm"],
    ["svc"],
    ["ingressclass"],
    ["ing"],
    ["netpol"],
    ["endpoints"],
    ["endpointslice"],
    ["nodes"],
  ])("%s", async (type) => {
    // Events and measures may come in between the two: then both look again.
    await eventually(
      `${type} is described alike`,
      async () => {
        const [own, real] = [
          await cluster.tryKubemu("describe", type),
          await cluster.tryKubectl(["describe", type]),
        ];
        expect(still(own.stdout)).toBe(still(real.stdout));
        expect(own.code).toBe(0);
        return true;
      },
      20_000,
    );
  });
});
