import { describe, expect, test } from "vitest";
import { drillSchema, readDrill } from "../../../../src/drill/file/read-drill.ts";

const HEAD = "apiVersion: kubemu.dev/v1alpha1\nkind: Drill\nmetadata: {name: mine}\n";
const read = (spec: string) => readDrill(`${HEAD}spec:\n${spec}`, "mine.yaml");
const problems = (spec: string): string[] => {
  try {
    read(spec);
  } catch (error) {
    return (error as Error).message.split("\n");
  }
  return [];
};

describe("readDrill", () => {
  test("fills in what is left out", () => {
    expect(read("  traffic: [{service: web, rate: 20}]")).toEqual({
      name: "mine",
      description: "",
      seed: 1,
      namespace: "drill-mine",
      duration: 0,
      settle: 60_000,
      setup: { manifests: [], ready: 60_000 },
      steps: [],
      expect: {},
      traffic: [
        {
          name: "web",
          service: "web",
          path: "/",
          rate: 20,
          connections: "new",
          method: "GET",
          headers: {},
          body: "",
          timeout: 10_000,
          status: [],
          expect: {},
        },
      ],
    });
  });

  test("reads steps with their times and conditions, manifests as files or objects, and steps inside steps", () => {
    const { steps, setup, traffic } = read(`
  setup: {manifests: [{file: web.yaml}, {apiVersion: v1, kind: Service, metadata: {name: web}}]}
  traffic: [{service: web, rate: 1, bodyBytes: 3, method: POST}]
  steps:
    - {at: 1.5s, kill: {node: serving}}
    - {after: 200ms, start: }
    - repeat:
        times: 3
        steps: [{when: {rolledOut: deployment/web}, within: 5s, scale: {target: deployment/web, replicas: 2}}]
    - {apply: {manifests: [{file: more/}]}}
`);
    expect(setup.manifests).toEqual([
      { file: "web.yaml" },
      { object: { apiVersion: "v1", kind: "Service", metadata: { name: "web" } } },
    ]);
    expect(traffic[0]?.body).toBe("xxx");
    expect(steps).toEqual([
      { at: 1_500, within: 60_000, action: { verb: "kill", node: "serving", count: 1 } },
      { after: 200, within: 60_000, action: { verb: "start", node: "last" } },
      {
        within: 60_000,
        action: {
          verb: "repeat",
          times: 3,
          steps: [
            {
              when: { rolledOut: "deployment/web" },
              within: 5_000,
              action: { verb: "scale", target: "deployment/web", replicas: 2 },
            },
          ],
        },
      },
      { within: 60_000, action: { verb: "apply", manifests: [{ file: "more/" }] } },
    ]);
  });

  test("says what is allowed where a step is unknown, with file, line and field", () => {
    expect(problems("  steps:\n    - kill: {node: any}\n    - explode: {node: any}\n")).toEqual([
      expect.stringMatching(
        /^mine\.yaml:7: spec\.steps\[1\]\.explode: unknown field; allowed: name, at, after, when, within, kill, delete, pause, /,
      ),
      expect.stringMatching(/^mine\.yaml:7: spec\.steps\[1\]: needs one action: kill, delete, pause, /),
    ]);
  });

  test.each([
    ["  traffic: [{rate: 1}]", "mine.yaml:5: spec.traffic[0]: the field service is missing"],
    [
      "  traffic: [{service: web, rate: 0}]",
      "mine.yaml:5: spec.traffic[0].rate: must be a number from 0.1 to 100000, not 0",
    ],
    [
      "  traffic:\n    - service: web\n      rate: 1\n      connections: many",
      'mine.yaml:8: spec.traffic[0].connections: "many" is not known; allowed: new, kept',
    ],
    [
      "  steps: [{at: soon, kill: {node: any}}]",
      'mine.yaml:5: spec.steps[0].at: must be a duration such as 500ms, 2s or 1m30s, not "soon"',
    ],
    [
      "  steps: [{kill: {node: any, pod: any}}]",
      "mine.yaml:5: spec.steps[0].kill.node: takes only one target: pod, container, node, program",
    ],
    ["  steps: [{kill: {node: any}, start: {}}]", "mine.yaml:5: spec.steps[0].start: takes only one action"],
    [
      "  steps: [{repeat: {times: 2, steps: [{at: 1s, kill: {node: any}}]}}]",
      "mine.yaml:5: spec.steps[0].repeat.steps[0].at: not inside repeat and mix; use after",
    ],
    [
      "  expect: {availability: 101}",
      "mine.yaml:5: spec.expect.availability: must be a number from 0 to 100",
    ],
    ["  steps: {kill: {node: any}}", "mine.yaml:5: spec.steps: must be a list, not"],
    ["  seed: [", "mine.yaml:"],
  ])("refuses %j", (spec, message) => {
    expect(problems(spec)[0]).toContain(message);
  });

  test("refuses another kind, an empty file and a second document", () => {
    const said = (text: string) => () => readDrill(text, "x.yaml");
    expect(said("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {}\n")).toThrow(
      'x.yaml:1: apiVersion: "v1" is not known; allowed: kubemu.dev/v1alpha1',
    );
    expect(said("")).toThrow("x.yaml:1: the file is empty; a Drill is expected");
    expect(said(`${HEAD}spec: {}\n---\na: 1\n`)).toThrow("x.yaml:6: one drill a file");
  });
});

describe("drillSchema", () => {
  test("describes steps by reference and refuses unknown fields", () => {
    const schema = drillSchema() as {
      $defs: {
        step: { properties: Record<string, unknown>; additionalProperties: boolean; oneOf: unknown[] };
      };
      required: string[];
    };
    expect(schema.required).toEqual(["apiVersion", "kind", "metadata", "spec"]);
    expect(schema.$defs.step.additionalProperties).toBe(false);
    expect(Object.keys(schema.$defs.step.properties)).toContain("rolloutUndo");
    expect(schema.$defs.step.oneOf).toContainEqual({ required: ["kill"] });
  });
});
