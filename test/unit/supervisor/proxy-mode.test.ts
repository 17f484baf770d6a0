import { expect, test } from "vitest";
import { chooseProxyMode } from "../../../src/supervisor/proxy-mode.ts";

const can = async () => undefined;
const cannot = async () => "Operation not permitted";

test("userspace is the default, and asks nobody", async () => {
  const probe = () => Promise.reject(new Error("asked"));
  expect(await chooseProxyMode(undefined, { singleAddress: false, probe })).toEqual({ mode: "userspace" });
});

test("auto takes nftables where it may, and says why it does not", async () => {
  expect(await chooseProxyMode("auto", { singleAddress: false, probe: can })).toEqual({ mode: "nftables" });
  expect(await chooseProxyMode("auto", { singleAddress: false, probe: cannot })).toEqual({
    mode: "userspace",
    note: "nftables cannot be used: Operation not permitted",
  });
  expect((await chooseProxyMode("auto", { singleAddress: true, probe: can })).mode).toBe("userspace");
});

test("nftables that cannot be had is refused in one line", async () => {
  await expect(chooseProxyMode("nftables", { singleAddress: false, probe: cannot })).rejects.toThrow(
    "--proxy-mode nftables cannot be used: Operation not permitted; --proxy-mode auto takes userspace then",
  );
});
