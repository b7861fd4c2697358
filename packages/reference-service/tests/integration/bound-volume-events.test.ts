/** Yours: what others are told of BoundVolume. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type HeardEvents, hearEvents } from "./heard-events.js";
import { startService, type TestService } from "./service.js";

const path = "/api/v1/bound-volumes";

let service: TestService;
let heard: HeardEvents;
beforeEach(async () => {
  service = await startService();
  heard = await hearEvents(service, ["bound_volume.*"]);
});
afterEach(async () => {
  await heard.close();
  await service.close();
});

async function sample(): Promise<Record<string, unknown>> {
  return {
    title: "some title",
    call_number: "AA-7777",
    summary: "some summary",
    page_count: 1,
    word_count: "0",
    price: "0",
    in_print: true,
    edition_key: "0190b2f6-5c8a-7c3e-9d1f-2b6a4e8c0d11",
    published_on: "2026-01-31",
    bound_at: "2026-01-31T09:30:00.000Z",
    colophon: { note: "any" },
    binding: "paperback",
  };
}

test("others are told of BoundVolume: created, updated, deleted", async () => {
  const created = (await service.call("POST", path, await sample())).body;
  const one = `${path}/${created.id}`;
  const changed = (await service.call("PATCH", one, {})).body;
  await service.call("DELETE", one);
  await heard.heard(3);
  expect(heard.events).toMatchObject([
    { type: "bound_volume.created", subject: created.id, data: created },
    { type: "bound_volume.updated", subject: created.id, data: changed },
    { type: "bound_volume.deleted", subject: created.id, data: { id: created.id } },
  ]);
});
