import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { resolveImage } from "../../../../../agents/node/images/catalogue.ts";
import { canonicalImage, parseImage } from "../../../../../agents/node/images/reference.ts";
import { tagExists } from "../../../../../agents/node/images/tags.ts";
import type { Image, ImageSpec } from "../../../../../src/api/kinds/image.ts";

const image = (spec: ImageSpec): Image => ({
  metadata: { name: "x", uid: "u", creationTimestamp: "", resourceVersion: "1" },
  spec,
});

describe("parseImage", () => {
  it.each([
    ["nginx", "docker.io/library/nginx:latest"],
    ["nginx:1.29", "docker.io/library/nginx:1.29"],
    ["docker.io/library/nginx", "docker.io/library/nginx:latest"],
    ["kicbase/echo-server:1.0", "docker.io/kicbase/echo-server:1.0"],
    ["registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"],
    ["localhost:5000/a/b", "localhost:5000/a/b:latest"],
    [`nginx@sha256:${"a".repeat(64)}`, `docker.io/library/nginx@sha256:${"a".repeat(64)}`],
  ])("reads %s as %s", (name, canonical) => {
    const reference = parseImage(name);
    expect(reference && canonicalImage(reference)).toBe(canonical);
  });

  it.each(["", "Nginx", "nginx:", "nginx:a b", "a//b", "nginx@sha256:short", "../etc"])(
    "refuses %j",
    (name) => expect(parseImage(name)).toBeUndefined(),
  );
});

describe("tagExists", () => {
  it.each(["latest", "1.7.9", "1.14.2", "1.16.1", "1.29", "1.27.3-alpine", "alpine", "stable", "1"])(
    "nginx has %s",
    (tag) => expect(tagExists("nginx", tag)).toBe(true),
  );
  it.each(["1.161", "99", "1.6", "v1.99.1", "doesnotexist", "1.91"])("nginx has no %s", (tag) =>
    expect(tagExists("nginx", tag)).toBe(false),
  );
  it("knows nothing against the tags of other images", () => {
    expect(tagExists("something", "whatever")).toBe(true);
  });
});

describe("resolveImage", () => {
  it("knows the same image behind any registry", () => {
    for (const name of ["nginx", "mirror.example/nginx:1.2", "registry.k8s.io/nginx-slim:0.8"])
      expect(resolveImage(name, [])?.program.builtin).toBe("nginx");
  });

  it("knows where images of one last name listen, and what they say where nothing is given", () => {
    expect(resolveImage("ealen/echo-server:0.9.2", [])?.program.ports).toEqual([80]);
    expect(resolveImage("docker.io/ealen/echo-server", [])?.program.ports).toEqual([80]);
    expect(resolveImage("kicbase/echo-server:1.0", [])?.program.ports).toEqual([8080]);
    const echo = resolveImage("hashicorp/http-echo", [])?.program;
    expect(echo?.env).toEqual([{ name: "ECHO_TEXT", value: "hello-world" }]);
  });

  it("says in the runtime's words that a tag does not exist", () => {
    expect(resolveImage("nginx:1.161", [])?.error).toBe(
      'failed to pull and unpack image "docker.io/library/nginx:1.161": failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found',
    );
  });

  it("falls back to a stand-in for what it does not know", () => {
    expect(resolveImage("ghcr.io/someone/something:v3", [])?.program.builtin).toBe("fallback");
  });

  it("gives a base image a default command and no entry point, so that args are a command of their own", () => {
    expect(resolveImage("busybox:1.36", [])?.program).toEqual({ command: [], args: ["sh"] });
    expect(resolveImage("python:3.12", [])?.program).toEqual({ command: [], args: ["python3"] });
  });

  it.each([
    [["node", "-p", "1+1"], "2\n"],
    [["-p", "1+1"], "2\n"],
    [["echo", "hello"], "hello\n"],
  ])("lets an interpreter's image run %j", (args, output) => {
    const [program = "", ...first] = resolveImage("node:22", [])?.program.command ?? [];
    expect(execFileSync(program, [...first, ...args], { encoding: "utf8" })).toBe(output);
  });

  it("takes an Image object first, with patterns, ports and arguments", () => {
    const mine = image({
      names: ["team.example/*:v2"],
      command: ["node", "server.js"],
      ports: [{ containerPort: 3000 }],
    });
    expect(resolveImage("team.example/shop:v2", [mine])).toMatchObject({
      present: true,
      program: { command: ["node", "server.js"], ports: [3000] },
    });
    expect(resolveImage("team.example/shop:v1", [mine])?.present).toBe(false);
  });

  it("fails the pulls that an Image object says fail", () => {
    const gone = image({ names: ["shop"], builtin: "nginx", tags: ["v1"] });
    expect(resolveImage("shop:v1", [gone])?.error).toBeUndefined();
    expect(resolveImage("shop:v2", [gone])?.error).toContain("docker.io/library/shop:v2: not found");
    const broken = image({ names: ["shop"], builtin: "nginx", pull: { error: "unauthorized" } });
    expect(resolveImage("shop:v1", [broken])?.error).toBe("unauthorized");
  });
});
