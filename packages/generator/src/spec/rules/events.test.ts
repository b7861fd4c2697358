import { describe, expect, test } from "vitest";
import { renderText } from "../../diagnostics.js";
import { diagnosticsOf } from "../../fixture.test.support.js";

const ENTITIES = `domain:
  entities:
    - { name: OrderLine, fields: [{ name: order_id, type: reference, entity: Order, on_delete: cascade }] }
    - { name: Order, fields: [{ name: a, type: text }] }
`;
const said = (events: string, before = ENTITIES): string[] =>
  diagnosticsOf(`${before}events: ${events}\n`).map((one) => renderText(one).replace(/^config\.yaml:/, ""));
const place = (events: string, before = ENTITIES): string[] =>
  said(events, before).map((text) => text.split(": expected")[0] ?? "");

describe("published events", () => {
  test("are changes of entities, in snake_case", () => {
    expect(said("{ publish: [order.created, order_line.updated, order.deleted] }")).toEqual([]);
    expect(said("{}")).toEqual([]);
  });

  test.each([
    ["order.create", "; did you mean order.created"],
    ["OrderLine.created", "; did you mean order_line.created"],
    ["order_line.update", "; did you mean order_line.updated"],
    ["payment.captured", ""],
    ["order", ""],
    ["order.*", ""],
  ])("are nothing else: %s", (type, hint) => {
    expect(said(`{ publish: ["${type}"] }`)).toEqual([
      `5:21: error wrong-value events.publish[0]: expected a change of an entity, <entity>.created, .updated or .deleted; of order_line, order, got "${type}"${hint}`,
    ]);
  });

  test("need entities, and each is named once", () => {
    expect(said("{ publish: [order.created] }", "")).toEqual([
      '1:21: error wrong-value events.publish[0]: expected a change of an entity, <entity>.created, .updated or .deleted; this config declares none, got "order.created"; declare the entity in domain.entities',
    ]);
    expect(place("{ publish: [order.created, order.created] }")).toEqual(["5:36: error wrong-value events.publish[1]"]);
  });

  test("of rows that the database deletes by itself do not come, which is said", () => {
    expect(said("{ publish: [order_line.deleted] }")).toEqual([
      "5:21: warning event-not-published events.publish[0]: expected every deletion of order_line to be told, got order_id with on_delete: cascade, by which the database deletes rows and nothing is published; use on_delete: restrict, or let consumers take the deletion of what it refers to for its own, too",
    ]);
  });

  test("are not taken for those of a choreographed saga's stages", () => {
    const saga = `${ENTITIES}session: {saga: {orchestration: choreography}}\nlong_running: {tasks: [{name: order, stages: [{name: a, service: s, endpoint: /a}]}]}\n`;
    expect(place("{ publish: [order.created, order_line.created] }", saga)).toEqual([
      "7:21: error duplicate-name events.publish[0]",
    ]);
    expect(place("{ publish: [order.created] }", saga.replace("choreography", "orchestration"))).toEqual([]);
  });
});

describe("handled events", () => {
  const one = (subject: string, handler = "on_it", from?: string): string =>
    `{ subject: "${subject}", handler: ${handler}${from === undefined ? "" : `, from: ${from}`} }`;

  test.each(["payment.captured", "payment.*", "*.captured", "payment.>", ">", "a-b.C_d"])(
    "have a subject: %s",
    (subject) => {
      expect(said(`{ consume: [${one(subject)}] }`)).toEqual([]);
    },
  );

  test.each(["payment..captured", "pay day", ">.a", "a.>.b", "payment.", "a*"])("have no other one: %s", (subject) => {
    expect(said(`{ consume: [${one(subject)}] }`)).toEqual([
      `5:32: error wrong-value events.consume[0].subject: expected words of A-Z, a-z, 0-9, _ and - joined by dots, * for one word, > for the rest, got "${subject}"`,
    ]);
  });

  test("may share a handler, when they are of one service", () => {
    expect(said(`{ consume: [${one("a.b")}, ${one("a.c")}] }`)).toEqual([]);
    expect(said(`{ consume: [${one("a.b", "x", "billing")}, ${one("a.c", "x", "shop")}] }`)).toEqual([
      "5:95: error duplicate-name events.consume[1].handler: expected one source for the handler x, got shop beside billing; give each a handler",
    ]);
    expect(place(`{ consume: [${one("a.b")}, ${one("a.b")}] }`)).toEqual([
      "5:68: error duplicate-name events.consume[1].subject",
    ]);
  });

  test("have handlers that a function can be named after, each as one name", () => {
    expect(place(`{ consume: [${one("a.b", "delete")}] }`)).toEqual([
      "5:48: error reserved-name events.consume[0].handler",
    ]);
    expect(place(`{ consume: [${one("a.b", "on_it")}, ${one("a.c", "onIt")}] }`)).toEqual([
      "5:84: error duplicate-name events.consume[1].handler",
    ]);
    expect(place(`{ consume: [${one("a.b", "on-it")}] }`)).toEqual(["5:48: error bad-name events.consume[0].handler"]);
    expect(place(`{ consume: [${one("a.b", "x", "'a b'")}] }`)).toEqual([
      "5:57: error wrong-value events.consume[0].from",
    ]);
  });

  test("of an entity here that are not published never come, which is said", () => {
    const hint = "add it there, or say with `from` whose event it is";
    expect(said(`{ consume: [${one("order.created")}] }`)).toEqual([
      `5:32: warning event-not-published events.consume[0].subject: expected an event that this service publishes, got "order.created", which is not in events.publish; ${hint}`,
    ]);
    expect(said(`{ publish: [order.created], consume: [${one("order.created")}] }`)).toEqual([]);
    expect(said(`{ consume: [${one("order.created", "x", "shop")}] }`)).toEqual([]);
  });
});
