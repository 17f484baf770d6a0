import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { SMALL_NODE } from "../../../agents/node/containers/process.ts";
import { childEnvironment, nodeFlags } from "../../../src/supervisor/children.ts";

/** What V8 compares before it takes compiled code: its version, its flags, the processor. */
const tagWith = (flags: readonly string[]) =>
  Number(execFileSync(process.execPath, [...flags, "-p", "v8.cachedDataVersionTag()"], { encoding: "utf8" }));

describe("the flags that programs are started with", () => {
  const plain = tagWith([]);

  it.each(["supervisor", "control-plane", "node-agent"] as const)(
    "have V8 take the compiled code that comes with Node: %s",
    (program) => expect(tagWith(nodeFlags(program))).toBe(plain),
  );

  it("do so for a container's process, too", () => expect(tagWith(SMALL_NODE)).toBe(plain));

  it("would not with a flag of V8's own", () => {
    expect(tagWith(["--max-lazy"])).not.toBe(plain);
  });
});

describe("childEnvironment", () => {
  it("passes on what a program needs, and no secrets", () => {
    const env = childEnvironment(
      { PATH: "/bin", AWS_SECRET_ACCESS_KEY: "x", NODE_EXTRA_CA_CERTS: "y" },
      "/data",
    );
    expect(env).toEqual({ PATH: "/bin", KUBEMU_CLUSTER: "/data", SSL_CERT_FILE: "/dev/null" });
  });
});
