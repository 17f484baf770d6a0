import { describe, expect, test } from "vitest";
import { planRoutes, secretFor } from "../../../../../agents/proxy/ingress/routes.ts";
import type { Ingress } from "../../../../../src/api/generated/types.ts";

const backend = (name: string) => ({ service: { name, port: { number: 80 } } });
const path = (at: string, name: string, pathType = "Prefix") => ({
  path: at,
  pathType,
  backend: backend(name),
});
const ingress = (name: string, spec: object, second = 0): Ingress =>
  ({
    metadata: { name, namespace: "default", creationTimestamp: `2026-01-01T00:00:0${second}Z` },
    spec,
  }) as Ingress;
const rule = (host: string | undefined, ...paths: object[]) => ({
  ...(host ? { host } : {}),
  http: { paths },
});

describe("which Service answers", () => {
  const table = planRoutes([
    ingress(
      "one",
      {
        defaultBackend: backend("rest"),
        rules: [
          rule(
            "shop.example",
            path("/", "shop"),
            path("/cart", "cart"),
            path("/cart", "cart-exact", "Exact"),
            path("/img/", "img"),
          ),
          rule("*.example", path("/", "wild")),
          rule(undefined, path("/any", "any", "ImplementationSpecific")),
        ],
      },
      1,
    ),
    ingress("two", { rules: [rule("shop.example", path("/", "younger"), path("/new", "new"))] }, 2),
    ingress("zero", { rules: [rule("old.org", path("/a", "old"))] }, 0),
  ]);
  test.each([
    ["shop.example", "/", "shop"],
    ["SHOP.example:8080", "/x?y=/cart", "shop"],
    ["shop.example", "/cart", "cart-exact"],
    ["shop.example", "/cart/", "cart"],
    ["shop.example", "/cart/1#x", "cart"],
    ["shop.example", "/cartoon", "shop"],
    ["shop.example", "/img", "img"],
    ["shop.example", "/new", "new"],
    ["shop.example", "http://shop.example/cart/2", "cart"],
    ["else.example", "http://shop.example:80/cart/2", "cart"],
    ["shop.example.:8080", "/cart/2", "cart"],
    ["a.example", "/", "wild"],
    ["a.b.example", "/", "rest"],
    ["old.org", "/a", "old"],
    ["old.org", "/any/b", "any"],
    ["old.org", "/b", "rest"],
    ["", "/any", "any"],
    ["", "", "rest"],
  ])("for %j and %j: %s", (host, target, service) => {
    expect(table.find(host, target)?.service).toBe(`default/${service}`);
  });

  test("nobody, where no rule and no default backend does", () => {
    const one = planRoutes([ingress("a", { rules: [rule("a.example", path("/", "a"))] })]);
    expect(one.find("b.example", "/")).toBeUndefined();
    expect(planRoutes([]).find("a", "/")).toBeUndefined();
  });

  test("by a port's name or number, and each is listed once", () => {
    const named = { service: { name: "a", port: { name: "web" } } };
    const { all } = planRoutes([
      ingress("a", {
        rules: [
          rule("a", path("/", "a"), path("/b", "a"), { path: "/c", pathType: "Prefix", backend: named }),
        ],
      }),
    ]);
    expect(all).toEqual(
      expect.arrayContaining([
        { service: "default/a", port: 80 },
        { service: "default/a", port: "web" },
      ]),
    );
    expect(all).toHaveLength(2);
  });
});

test("the certificate is that of the host, of its wildcard, or the first", () => {
  const tls = [
    { namespace: "a", hosts: ["one.example"], secretName: "one" },
    { namespace: "b", hosts: ["*.example"], secretName: "wild" },
  ];
  expect(["one.example", "two.example", "other.org", ""].map((name) => secretFor(tls, name))).toEqual([
    "a/one",
    "b/wild",
    "a/one",
    "a/one",
  ]);
  expect(secretFor([], "one.example")).toBeUndefined();
});
