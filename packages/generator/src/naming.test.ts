// Misspelled on purpose: cspell:ignore tiemout sesion reddis ordr stok timeuot mred conifg genrate compnsation prefx
import { describe, expect, test } from "vitest";

import { handlerNames, namesOf, nearestName, pluralOf, reservedBecause, wordsOf } from "./naming.js";

describe("names", () => {
  test.each([
    ["order_line", ["order", "line"]],
    ["OrderLine", ["order", "line"]],
    ["parseHTTPHeader_v2", ["parse", "http", "header", "v2"]],
    ["order-line item", ["order", "line", "item"]],
    ["__x__", ["x"]],
    ["", []],
  ])("%j is the words %j", (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  test("have every case", () => {
    expect(namesOf("orderLine")).toEqual({
      raw: "orderLine",
      kebab: "order-line",
      snake: "order_line",
      camel: "orderLine",
      pascal: "OrderLine",
      constant: "ORDER_LINE",
    });
  });

  test.each([
    ["Order", "orders"],
    ["Category", "categories"],
    ["Day", "days"],
    ["Box", "boxes"],
    ["Address", "addresses"],
    ["SalesPerson", "sales-people"],
    ["OrderLine", "order-lines"],
  ])("%s is %s in the plural", (name, plural) => {
    expect(pluralOf(name).kebab).toBe(plural);
  });
});

describe("reserved names", () => {
  test.each([
    ["class", "entity"],
    ["Class", "entity"],
    ["delete", "stage"],
    ["constructor", "field"],
    ["to_string", "stage"],
    ["Date", "entity"],
    ["promise", "entity"],
    ["Session", "entity"],
    ["run", "entity"],
    ["id", "field"],
    ["createdAt", "field"],
  ] as const)("%s is refused for an %s", (name, kind) => {
    expect(reservedBecause(name, kind)).not.toBeNull();
  });

  test.each([
    ["type", "field"],
    ["from", "field"],
    ["date", "field"],
    ["get", "stage"],
    ["Order", "entity"],
    ["session", "service"],
  ] as const)("%s is fine for a %s", (name, kind) => {
    expect(reservedBecause(name, kind)).toBeNull();
  });
});

describe("handlers", () => {
  test.each([
    ["/validate", "validate"],
    ["/orders/validate", "ordersValidate"],
    ["/delete", "deleteCall"],
    ["/2nd", "call2nd"],
    ["/", "root"],
  ])("%s is the function %s", (endpoint, name) => {
    expect(handlerNames(endpoint).camel).toBe(name);
  });
});

describe("the nearest name", () => {
  test.each([
    ["tiemout", ["timeout", "ttl"], "timeout"],
    ["Timeout", ["timeout"], "timeout"],
    ["compnsation", ["compensation", "stages"], "compensation"],
    ["x", ["timeout"], null],
    ["completely_else", ["timeout", "ttl"], null],
  ])("of %s among %j is %s", (name, candidates, nearest) => {
    expect(nearestName(name, candidates)).toBe(nearest);
  });

  test("costs little for a name of any length", () => {
    const started = process.hrtime.bigint();
    nearestName("a".repeat(1_000_000), ["timeout", "b".repeat(64)]);
    expect(Number(process.hrtime.bigint() - started) / 1e6).toBeLessThan(200);
  });
});
