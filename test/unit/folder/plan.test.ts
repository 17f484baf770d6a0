import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Desired,
  type FileState,
  type Owned,
  type PlanInput,
  planFolder,
  REMOVE_AFTER_MS,
  stampOf,
} from "../../../src/folder/plan.ts";

const desired = (file: string, name: string, fingerprint = "1"): Desired => ({
  file,
  fingerprint,
  line: 1,
  group: "",
  version: "v1",
  kind: "ConfigMap",
  name,
  key: `/ConfigMap/default/${name}`,
  object: {},
});
const file = (name: string, names: readonly string[], fingerprint = "1"): FileState => ({
  file: name,
  fingerprint,
  declared: names.map((one) => desired(name, one, fingerprint)),
});
const owned = (source: string, name: string): Owned => ({
  key: `/ConfigMap/default/${name}`,
  kind: "ConfigMap",
  source,
  fingerprint: "1",
});
const input = (given: Partial<PlanInput>): PlanInput => ({
  files: [],
  owned: [],
  unreadable: [],
  applied: new Map(),
  failing: new Set(),
  missingSince: new Map(),
  nowMs: 10_000,
  ...given,
});
const names = (all: readonly { key: string }[]) => all.map(({ key }) => key.split("/").at(-1));

describe("planFolder", () => {
  it("applies what was not applied yet and leaves alone what was", () => {
    const plan = planFolder(
      input({
        files: [file("a.yaml", ["x", "y"])],
        applied: new Map([["/ConfigMap/default/x", stampOf("a.yaml", "1")]]),
      }),
    );
    expect(names(plan.apply)).toEqual(["y"]);
  });

  it("applies all of a file whose content changed", () => {
    const applied = new Map(["x", "y"].map((name) => [`/ConfigMap/default/${name}`, stampOf("a.yaml", "1")]));
    expect(names(planFolder(input({ files: [file("a.yaml", ["x", "y"], "2")], applied })).apply)).toEqual([
      "x",
      "y",
    ]);
  });

  it("removes what its file no longer declares, but only once it has been missing for a while", () => {
    const state = input({
      files: [file("a.yaml", ["x"])],
      owned: [owned("a.yaml", "x"), owned("a.yaml", "y")],
    });
    const first = planFolder(state);
    expect(first.remove).toEqual([]);
    expect(first.checkAgainMs).toBe(REMOVE_AFTER_MS);
    const later = planFolder({
      ...state,
      missingSince: first.missingSince,
      nowMs: state.nowMs + REMOVE_AFTER_MS,
    });
    expect(names(later.remove)).toEqual(["y"]);
  });

  it("forgets that an object was missing once it is declared again", () => {
    const state = input({ owned: [owned("a.yaml", "x")] });
    const { missingSince } = planFolder(state);
    const back = planFolder({ ...state, files: [file("a.yaml", ["x"])], missingSince });
    expect(back.missingSince.size).toBe(0);
  });

  it("does not remove an object that moved to another file", () => {
    const plan = planFolder(
      input({
        files: [file("a.yaml", []), file("b.yaml", ["x"])],
        owned: [owned("a.yaml", "x")],
        missingSince: new Map([["/ConfigMap/default/x", 0]]),
      }),
    );
    expect(plan.remove).toEqual([]);
    expect(names(plan.apply)).toEqual(["x"]);
  });

  it.each<[string, Partial<PlanInput>]>([
    ["broken or being written", { files: [{ file: "a.yaml", fingerprint: "2" }] }],
    ["in a directory that cannot be read", { unreadable: ["a.yaml"] }],
  ])("keeps everything of a file that is %s", (_why, given) => {
    const missingSince = new Map([["/ConfigMap/default/x", 0]]);
    const plan = planFolder(input({ ...given, owned: [owned("a.yaml", "x")], missingSince }));
    expect(plan.remove).toEqual([]);
    expect(plan.checkAgainMs).toBeUndefined();
  });

  it("holds removals back while a document of the same file fails", () => {
    const plan = planFolder(
      input({
        files: [file("a.yaml", ["renamed"])],
        owned: [owned("a.yaml", "x")],
        failing: new Set(["a.yaml"]),
        missingSince: new Map([["/ConfigMap/default/x", 0]]),
      }),
    );
    expect(plan.remove).toEqual([]);
    expect(names(plan.held)).toEqual(["x"]);
  });

  it("lets the first of two files that declare the same object count, and says so", () => {
    const plan = planFolder(input({ files: [file("a.yaml", ["x"]), file("b.yaml", ["x"])] }));
    expect(plan.apply.map((one) => one.file)).toEqual(["a.yaml"]);
    expect(plan.repeated).toEqual([
      { file: "b.yaml", line: 1, message: "ConfigMap x is declared in a.yaml:1 already; that one counts" },
    ]);
  });
});

describe("planFolder, for any state", () => {
  const objectNames = fc.uniqueArray(fc.constantFrom("p", "q", "r", "s"));
  const files = fc.uniqueArray(fc.constantFrom("a.yaml", "b.yaml", "c/d.yaml")).chain((paths) =>
    fc.tuple(
      ...paths.sort().map((path) =>
        fc.oneof(
          fc.constant<FileState>({ file: path, fingerprint: "broken" }),
          fc
            .tuple(objectNames, fc.constantFrom("1", "2"))
            .map(([all, fingerprint]) => file(path, all, fingerprint)),
        ),
      ),
    ),
  );
  const state = fc.record({
    files,
    owned: fc.uniqueArray(
      fc
        .tuple(
          fc.constantFrom("a.yaml", "b.yaml", "c/d.yaml", "gone.yaml"),
          fc.constantFrom("p", "q", "r", "s"),
        )
        .map(([source, name]) => owned(source, name)),
      { selector: ({ key }) => key },
    ),
    unreadable: fc.subarray(["c"]),
    failing: fc.subarray(["a.yaml", "b.yaml"]).map((all) => new Set(all)),
    missing: fc.subarray(["p", "q", "r", "s"]),
  });
  const planOf = ({ missing, ...rest }: typeof state extends fc.Arbitrary<infer T> ? T : never) => {
    const missingSince = new Map(missing.map((name) => [`/ConfigMap/default/${name}`, 0]));
    return planFolder(input({ ...rest, missingSince }));
  };

  it("never removes what a readable file declares, nor anything of a file that is unclear", () => {
    fc.assert(
      fc.property(state, (given) => {
        const wanted = new Set(given.files.flatMap(({ declared }) => declared?.map(({ key }) => key) ?? []));
        const broken = given.files.filter(({ declared }) => !declared).map((one) => one.file);
        for (const { key, source } of planOf(given).remove) {
          expect(wanted).not.toContain(key);
          expect(broken).not.toContain(source);
          expect(given.unreadable.some((directory) => source.startsWith(`${directory}/`))).toBe(false);
        }
      }),
    );
  });

  it("comes to rest: after its own plan is carried out nothing is left to do", () => {
    fc.assert(
      fc.property(state, (given) => {
        const plan = planOf({ ...given, failing: new Set() });
        const applied = new Map(
          plan.apply.map(({ key, file: from, fingerprint }) => [key, stampOf(from, fingerprint)]),
        );
        const removed = new Set([...plan.remove, ...plan.apply].map(({ key }) => key));
        const left = [
          ...given.owned.filter(({ key }) => !removed.has(key)),
          ...plan.apply.map((one) => ({ ...one, source: one.file })),
        ];
        const wait = { missingSince: plan.missingSince, nowMs: 10_000 + REMOVE_AFTER_MS };
        const next = planFolder(input({ ...given, ...wait, failing: new Set(), owned: left, applied }));
        expect(next.apply).toEqual([]);
        const gone = new Set(next.remove.map(({ key }) => key));
        const last = left.filter(({ key }) => !gone.has(key));
        const end = planFolder(input({ ...given, ...wait, failing: new Set(), owned: last, applied }));
        expect([end.apply, end.remove, end.checkAgainMs]).toEqual([[], [], undefined]);
      }),
    );
  });

  it("applies every declared object exactly once", () => {
    fc.assert(
      fc.property(state, (given) => {
        const keys = planOf(given).apply.map(({ key }) => key);
        const declared = given.files.flatMap((one) => one.declared?.map(({ key }) => key) ?? []);
        expect(keys.sort()).toEqual([...new Set(declared)].sort());
      }),
    );
  });
});
