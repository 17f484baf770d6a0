import { describe, expect, test } from "vitest";
import type { ObjectMeta } from "../../../../src/api/object.ts";
import {
  FOREGROUND,
  isNews,
  type OwnedBy,
  type OwnerState,
  planObject,
  planOwner,
} from "../../../../src/controllers/garbage-collector/plan.ts";

const meta = (more: Partial<ObjectMeta> = {}): ObjectMeta => ({
  name: "x",
  uid: "x",
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
  ...more,
});
const owners = (...states: OwnerState[]): OwnedBy[] =>
  states.map((state, at) => ({
    state,
    reference: { apiVersion: "apps/v1", kind: "ReplicaSet", name: `o${at}`, uid: `o${at}` },
  }));

describe("a change", () => {
  const owned = (...names: string[]) =>
    meta({ ownerReferences: names.map((name) => ({ apiVersion: "v1", kind: "Node", name, uid: name })) });
  const deletionTimestamp = "2026-01-01T00:00:00Z";
  test.each([
    ["of an object without owners is none of ours", meta(), undefined, false],
    ["is to be looked at when an object with owners is new", owned("a"), undefined, true],
    ["that leaves the owners alone is not", { ...owned("a"), resourceVersion: "2" }, owned("a"), false],
    ["that names another owner is", owned("a", "b"), owned("a"), true],
    ["that takes the last owner away is not", meta(), owned("a"), false],
    [
      "of what is being deleted is, whatever it is",
      meta({ deletionTimestamp }),
      meta({ deletionTimestamp }),
      true,
    ],
  ])("%s", (_name, after, before, news) => {
    expect(isNews(after, before)).toBe(news);
  });
});

describe("an object", () => {
  test.each([
    ["without owners is left alone", owners(), [], { action: "none" }],
    ["with a solid owner is left alone", owners("solid"), [], { action: "none" }],
    ["whose owner is gone goes", owners("absent"), [], { action: "delete", propagationPolicy: "Background" }],
    [
      "with one owner left is released by the others",
      owners("absent", "solid", "waiting"),
      [meta()],
      { action: "release", uids: ["o0", "o2"] },
    ],
    [
      "that is waited for takes its dependents along",
      owners("waiting"),
      [meta()],
      { action: "delete", propagationPolicy: "Foreground", unblock: false },
    ],
    [
      "that is waited for by an owner, and waits for none of its own that wait, holds nobody up",
      owners("waiting"),
      [meta(), meta({ deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: [FOREGROUND] })],
      { action: "delete", propagationPolicy: "Foreground", unblock: true },
    ],
    [
      "that is waited for and has no dependents just goes",
      owners("waiting"),
      [],
      { action: "delete", propagationPolicy: "Background" },
    ],
  ] as const)("%s", (_name, owned, dependents, plan) => {
    expect(planObject(meta(), owned, dependents)).toEqual(plan);
  });

  test("that is going already is left alone", () => {
    expect(planObject(meta({ deletionTimestamp: "2026-01-01T00:00:00Z" }), owners("absent"), [])).toEqual({
      action: "none",
    });
  });

  test("keeps the way of going that its finalizers ask for", () => {
    expect(planObject(meta({ finalizers: ["orphan"] }), owners("absent"), [meta()])).toEqual({
      action: "delete",
      propagationPolicy: "Orphan",
    });
  });
});

describe("an owner that is being deleted", () => {
  const going = (...finalizers: string[]) => meta({ deletionTimestamp: "2026-01-01T00:00:00Z", finalizers });
  test.each([
    [
      "in the foreground waits for those that block it",
      going("foregroundDeletion"),
      { count: 2, blocking: 1 },
      "wait",
    ],
    [
      "in the foreground goes when none blocks it",
      going("foregroundDeletion"),
      { count: 2, blocking: 0 },
      "remove-foreground",
    ],
    [
      "and orphans cuts its dependents loose first",
      going("orphan"),
      { count: 1, blocking: 1 },
      "orphan-dependents",
    ],
    ["and orphans goes when there are none", going("orphan"), { count: 0, blocking: 0 }, "remove-orphan"],
    ["and held by others only is left to them", going("example.com/mine"), { count: 3, blocking: 3 }, "none"],
  ] as const)("%s", (_name, metadata, dependents, plan) => {
    expect(planOwner(metadata, dependents)).toBe(plan);
  });
});
