/** Domain events of the reference service: what is published with which row, and what operators do with what nobody could handle. */
import { type CloudEvent, type EventMessage, eventMessage, readCloudEvent } from "@clean-arch/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRunStore } from "../../src/infrastructure/session/run-store.js";
import { type HeardEvents, hearEvents } from "../integration/heard-events.js";
import { asOperator, startService, type TestService } from "../integration/service.js";

const volumes = "/api/v1/bound-volumes";
const volume = { title: "Faust", call_number: "AB-1000", page_count: 5, price: "1.50", word_count: "9007199254740993" };

let service: TestService;
let heard: HeardEvents;
beforeEach(async () => {
  service = await startService();
  heard = await hearEvents(service, [">"]);
});
afterEach(async () => {
  await heard.close();
  await service.close();
});

describe("published events", () => {
  it("tell of an entity as the API shows it, in the order of its changes", async () => {
    const created = (await service.call("POST", volumes, volume)).body;
    const changed = (await service.call("PATCH", `${volumes}/${created.id}`, { title: "Faust II" })).body;
    await service.call("DELETE", `${volumes}/${created.id}`);
    await heard.heard(3);
    const shared = { specversion: "1.0", source: "/services/reference-service", subject: created.id };
    expect(heard.events).toEqual([
      expect.objectContaining({ ...shared, type: "bound_volume.created", data: created }),
      expect.objectContaining({ ...shared, type: "bound_volume.updated", data: changed, replaces: 1 }),
      expect.objectContaining({ ...shared, type: "bound_volume.deleted", data: { id: created.id } }),
    ]);
    expect(new Set(heard.events.map(({ id }) => id)).size).toBe(3);
  });

  it("do not leave when the row is refused, moved or gone", async () => {
    const { id } = (await service.call("POST", volumes, volume)).body;
    expect((await service.call("POST", volumes, volume)).body.code).toBe("unique-violation");
    const stale = { "if-match": '"7"' };
    expect((await service.call("PATCH", `${volumes}/${id}`, { title: "x" }, stale)).status).toBe(412);
    await service.call("DELETE", `${volumes}/${id}`);
    expect((await service.call("DELETE", `${volumes}/${id}`)).status).toBe(404);
    const last = (await service.call("POST", volumes, { ...volume, call_number: "AB-1001" })).body;
    await heard.heard(3);
    const typesOf = (of: string) => heard.events.filter(({ subject }) => subject === of).map(({ type }) => type);
    expect(typesOf(id)).toEqual(["bound_volume.created", "bound_volume.deleted"]);
    expect(typesOf(last.id)).toEqual(["bound_volume.created"]);
  });

  it("take their row with them when they cannot be stored", async () => {
    const summary = "x".repeat(1_000_100);
    const refused = await service.call("POST", volumes, { ...volume, summary });
    expect(refused).toMatchObject({ status: 413, body: { code: "payload-too-large" } });
    expect((await service.call("GET", volumes)).body.items).toEqual([]);
  });

  it("are only those that the config names", async () => {
    const { id } = (await service.call("POST", volumes, volume)).body;
    const marks = "/api/v1/shelf-marks";
    const mark = (await service.call("POST", marks, { label: "A", bound_volume_id: id })).body;
    await service.call("PATCH", `${marks}/${mark.id}`, { label: "B" });
    await service.call("DELETE", `${marks}/${mark.id}`);
    await service.call("DELETE", `${volumes}/${id}`);
    await heard.heard(3);
    const types = heard.events.map(({ type }) => type).sort();
    expect(types).toEqual(["bound_volume.created", "bound_volume.deleted", "shelf_mark.created"]);
  });

  it("follow from the trace of their request, and from nothing that is no trace", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const traced = (await service.call("POST", volumes, volume, { traceparent })).body;
    const other = { ...volume, call_number: "AB-1001" };
    const untraced = (await service.call("POST", volumes, other, { traceparent: "nonsense" })).body;
    await heard.heard(2);
    // Of two entities either may be heard first.
    const traces = new Map(heard.events.map((event) => [event.subject, event.traceparent]));
    expect([traces.get(traced.id), traces.get(untraced.id)]).toEqual([traceparent, undefined]);
  });

  it("of many writers of one entity come in the order of its revisions", async () => {
    const { id } = (await service.call("POST", volumes, volume)).body;
    const others = Array.from({ length: 5 }, (_, i) => ({ ...volume, call_number: `CD-100${i}` }));
    const writers = Array.from({ length: 12 }, (_, i) =>
      service.call("PATCH", `${volumes}/${id}`, { page_count: i + 1 }),
    );
    const answers = await Promise.all([...writers, ...others.map((other) => service.call("POST", volumes, other))]);
    const stored = answers.filter(({ status }) => status === 200 || status === 201).length;
    await heard.heard(stored + 1);
    const revisions = heard.events
      .filter(({ subject }) => subject === id)
      .map(({ data }) => (data as { revision: number }).revision);
    expect(revisions).toEqual(revisions.map((_, i) => i + 1));
    expect(heard.events).toHaveLength(stored + 1);
  });
});

describe("handled events", () => {
  it("are counted, with what was published and what waits", async () => {
    await service.call("POST", volumes, volume);
    const group = 'group="reference-service-on_bound_volume_created"';
    const metrics = async () => (await service.call("GET", "/metrics")).body as string;
    await expect.poll(metrics).toContain(`clean_arch_events_consumed_total{${group}} 1`);
    const text = await metrics();
    expect(text).toContain('clean_arch_events_published_total{type="bound_volume.created"} 1');
    for (const what of ["duplicate_total", "failed_total", "parked_total"])
      expect(text).toContain(`clean_arch_events_${what}{${group}} 0`);
    await expect.poll(metrics).toContain(`clean_arch_events_waiting{${group}} 0`);
  });
});

describe("parked events", () => {
  const path = "/api/v1/parked-events";
  const group = "reference-service-on_bound_volume_created";
  const known = eventMessage({ specversion: "1.0", id: "one", source: "/tests", type: "bound_volume.created" });
  const broken: EventMessage = { ...known, id: "broken", body: "no event" };

  async function park(parked: EventMessage, inGroup = group): Promise<void> {
    const store = createRunStore(service.settings);
    await store.open();
    const error = { code: "handler-threw", message: "out of ink" };
    await store.events?.park({ group: inGroup, event: parked, error, attempts: 10, parkedAt: 0 });
    await store.close();
  }
  const list = async (query = "") => (await service.call("GET", `${path}${query}`, undefined, asOperator)).body;
  const act = (id: string, verb: string, body: object = {}) =>
    service.call("POST", `${path}/${id}/${verb}`, body, asOperator);

  it("are for operators only", async () => {
    expect((await service.call("GET", path)).status).toBe(401);
    expect((await service.call("POST", `${path}/one/redrive`, {})).status).toBe(401);
    expect((await service.call("POST", `${path}/one/discard`, { reason: "x" })).status).toBe(401);
  });

  it("are listed newest first, page by page, with what they failed with", async () => {
    await park(known);
    await park(broken);
    const first = await list("?limit=1");
    expect(first.items).toEqual([
      {
        ...{ id: "broken", group, subject: "bound_volume.created", attempts: 10, event: "no event" },
        ...{ error: { code: "handler-threw", message: "out of ink" }, parked_at: expect.any(String) },
      },
    ]);
    const second = await list(`?limit=1&cursor=${first.next_cursor}`);
    expect(second).toMatchObject({ items: [{ id: "one", event: readCloudEvent(known.body) as CloudEvent }] });
    expect(second.next_cursor).toBeNull();
    expect((await list("?group=nobody")).items).toEqual([]);
  });

  it("are handled when they are handed in again, and stay when that fails", async () => {
    await park(known);
    await park(broken);
    expect((await act("one", "redrive")).status).toBe(204);
    expect(await act("broken", "redrive")).toMatchObject({ status: 409, body: { code: "event-failed" } });
    expect((await list()).items).toMatchObject([{ id: "broken" }]);
    expect(await act("one", "redrive")).toMatchObject({ status: 404, body: { code: "not-found" } });
  });

  it("are never handled once they are discarded, with a reason", async () => {
    await park(known);
    expect((await act("one", "discard")).status).toBe(422);
    expect((await act("one", "discard", { reason: "sent by mistake" })).status).toBe(204);
    expect((await list()).items).toEqual([]);
    expect((await act("one", "discard", { reason: "again" })).status).toBe(404);
  });

  it("of several groups are one for each: which is meant has to be said", async () => {
    const gone = "reference-service-gone";
    await park(known);
    await park(known, "reference-service-on_payment_captured");
    await park(known, gone);
    // Without NATS nobody here is in the group of on_payment_captured.
    expect((await act("one", "redrive")).status).toBe(204);
    expect(await act("one", "redrive", { group: gone })).toMatchObject({ status: 409, body: { code: "event-failed" } });
    expect((await act("one", "discard", { group: gone, reason: "no handler" })).status).toBe(204);
    expect((await list()).items).toMatchObject([{ group: "reference-service-on_payment_captured" }]);
  });
});
