/** `/asyncapi.json` keeps to AsyncAPI 3.0: what it must have, where its references lead, and what its schemas say of real events. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asyncapiDocument } from "../../src/interfaces/http/asyncapi.js";
import { hearEvents } from "../integration/heard-events.js";
import { startService, type TestService } from "../integration/service.js";

type Node = Readonly<Record<string, unknown>>;

let service: TestService;
let document: Node;
beforeAll(async () => {
  service = await startService();
  document = (await service.call("GET", "/asyncapi.json")).body;
});
afterAll(() => service.close());

const at = (root: Node, path: string): unknown =>
  path.split("/").reduce<unknown>((node, part) => (node as Node | undefined)?.[part], root);
const entriesOf = (root: Node, path: string) =>
  Object.entries((at(root, path) ?? {}) as Readonly<Record<string, Node>>);

/** Breaches of the rules of the specification that this document could break, each with its place. */
function breachesOf(root: Node): string[] {
  const breaches: string[] = [];
  const expectKeys = (place: string, node: Node, required: readonly string[], allowed: readonly string[]): void => {
    for (const key of required) if (node[key] === undefined) breaches.push(`${place} has no ${key}`);
    for (const key of Object.keys(node)) if (!allowed.includes(key)) breaches.push(`${place} has ${key}`);
  };
  const roots = ["asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"];
  expectKeys("root", root, ["asyncapi", "info"], roots);
  if (root.asyncapi !== "3.0.0") breaches.push(`asyncapi is ${root.asyncapi}`);
  expectKeys("info", root.info as Node, ["title", "version"], ["title", "version", "description"]);
  for (const [id, channel] of entriesOf(root, "channels")) {
    const place = `channels.${id}`;
    expectKeys(place, channel, ["address", "messages"], ["address", "messages", "parameters"]);
    const named = [...String(channel.address).matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = Object.keys((channel.parameters ?? {}) as Node);
    if (named.sort().join() !== declared.sort().join())
      breaches.push(`${place} has parameters ${declared}, uses ${named}`);
    if (!/^[A-Za-z0-9_\-.{}]+$/.test(String(channel.address))) breaches.push(`${place} has address ${channel.address}`);
  }
  for (const [id, operation] of entriesOf(root, "operations")) {
    const place = `operations.${id}`;
    expectKeys(place, operation, ["action", "channel"], ["action", "channel", "summary", "messages"]);
    if (operation.action !== "send" && operation.action !== "receive") breaches.push(`${place} is ${operation.action}`);
    const channel = String((operation.channel as Node).$ref);
    // Of an operation's messages each must be one of its channel's.
    for (const { $ref } of operation.messages as Node[])
      if (!String($ref).startsWith(`${channel}/messages/`)) breaches.push(`${place} refers to ${$ref}`);
  }
  for (const [id, message] of entriesOf(root, "components/messages"))
    expectKeys(`messages.${id}`, message, ["payload"], ["name", "summary", "payload"]);
  for (const [kind, nodes] of entriesOf(root, "components"))
    for (const key of Object.keys(nodes))
      if (!/^[a-zA-Z0-9._-]+$/.test(key)) breaches.push(`components.${kind} has ${key}`);
  for (const $ref of referencesIn(root))
    if (at(root, $ref.slice(2)) === undefined) breaches.push(`${$ref} leads nowhere`);
  return breaches;
}

function referencesIn(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  const { $ref } = node as Node;
  return [...(typeof $ref === "string" ? [$ref] : []), ...Object.values(node).flatMap(referencesIn)];
}

describe("the AsyncAPI document", () => {
  it("breaks no rule, and the rules would be missed", () => {
    expect(breachesOf(document)).toEqual([]);
    const broken = structuredClone(document) as Record<string, Record<string, Record<string, unknown>>>;
    (broken.operations?.["send.bound_volume.created"] as Record<string, unknown>).action = "publish";
    (broken.channels?.["bound_volume.created"] as Record<string, unknown>).messages = { event: { $ref: "#/nowhere" } };
    expect(breachesOf(broken)).toEqual(["operations.send.bound_volume.created is publish", "#/nowhere leads nowhere"]);
  });

  it("has what is published and what is handled, each at its subject on NATS", () => {
    const addresses = entriesOf(document, "operations").map(([, { action, channel }]) => {
      const { address } = at(document, String((channel as Node).$ref).slice(2)) as Node;
      return `${action} ${address}`;
    });
    expect(addresses).toEqual([
      "send reference-service.bound_volume.created",
      "send reference-service.bound_volume.updated",
      "send reference-service.bound_volume.deleted",
      "send reference-service.shelf_mark.created",
      "receive reference-service.bound_volume.created",
      "receive billing-service.payment.captured",
    ]);
  });

  it("describes an entity's events as the OpenAPI document does the entity", async () => {
    const openapi: Node = (await service.call("GET", "/openapi.json")).body;
    const answer = at(openapi, "paths")?.valueOf() as Readonly<Record<string, Node>>;
    const created = at(answer["/api/v1/bound-volumes"] as Node, "post/responses/201/content") as Node;
    const schema = at(created["application/json"] as Node, "schema") as Node;
    const data = at(document, "components/messages")?.valueOf() as Readonly<Record<string, Node>>;
    const told = at(data["bound_volume.created"] as Node, "payload/properties/data") as Node;
    expect(told.properties).toEqual(schema.properties);
    expect(told.required).toEqual(schema.required);
  });

  it("requires of events what they have", async () => {
    const heard = await hearEvents(service, [">"]);
    const volume = { title: "Faust", call_number: "AB-1000", page_count: 5, price: "1.50" };
    const { id } = (await service.call("POST", "/api/v1/bound-volumes", volume)).body;
    await service.call("PATCH", `/api/v1/bound-volumes/${id}`, { title: "Faust II" });
    await service.call("DELETE", `/api/v1/bound-volumes/${id}`);
    await heard.heard(3);
    await heard.close();
    const messages = at(document, "components/messages") as Readonly<Record<string, Node>>;
    for (const event of heard.events) {
      const { payload } = messages[event.type] as { payload: Node };
      const known = payload.properties as Readonly<Record<string, { const?: unknown; required?: string[] }>>;
      expect(Object.keys(event)).toEqual(expect.arrayContaining(payload.required as string[]));
      expect(known.type?.const).toBe(event.type);
      expect(Object.keys(event.data as object)).toEqual(expect.arrayContaining(known.data?.required ?? []));
    }
  });

  it("turns wildcards into parameters, and has the stages of choreographed sagas", () => {
    const sagas = [{ name: "order", waves: [{ steps: [{ name: "pay" }] }] }];
    const consumed = [{ handler: "on_any", from: "shop", subjects: ["order.*.paid", "stock.>"] }];
    const described = asyncapiDocument(
      { name: "s", version: "1.0.0", description: "" },
      { published: [], consumed, sagas },
    );
    const whole = JSON.parse(JSON.stringify(described)) as Node;
    expect(breachesOf(whole)).toEqual([]);
    const addresses = entriesOf(whole, "channels").map(([, { address }]) => address);
    expect(addresses).toEqual([
      ...["s.order.started", "s.order.abort", "s.order.abort-refused"],
      ...["completed", "failed", "compensated", "stuck"].map((news) => `s.order.pay.${news}`),
      ...["shop.order.{word2}.paid", "shop.stock.{rest}"],
    ]);
  });
});
