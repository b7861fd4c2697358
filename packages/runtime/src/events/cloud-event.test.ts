import { describe, expect, it } from "vitest";
import { SeededRandom } from "../simulation/seeded-random.js";
import { createManualClock } from "../testing/manual-clock.js";
import { cloudEvent, eventMessage, readCloudEvent } from "./cloud-event.js";

const ports = { clock: createManualClock(), random: new SeededRandom(1) };
const PARTS = { source: "/shop", type: "shop.order.placed", data: { total: 5 } };

describe("an event that is made", () => {
  it("has what CloudEvents 1.0 asks for, with an id and a time of its own", () => {
    const event = cloudEvent({ ...PARTS, subject: "order-1", dataschema: "https://shop.example/placed/2" }, ports);
    expect(event).toEqual({
      specversion: "1.0",
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      source: "/shop",
      type: "shop.order.placed",
      subject: "order-1",
      time: "2026-01-01T00:00:00.000Z",
      datacontenttype: "application/json",
      dataschema: "https://shop.example/placed/2",
      data: { total: 5 },
    });
  });

  it("travels under its type, by the key of what it is about, and is the same when it is read", () => {
    const event = cloudEvent(
      { ...PARTS, id: "e1", subject: "order-1", extensions: { tenant: "a", urgent: true } },
      ports,
    );
    const message = eventMessage(event);
    expect(message).toMatchObject({ id: "e1", subject: "shop.order.placed", key: "order-1" });
    expect(readCloudEvent(message.body)).toEqual(event);
    expect(eventMessage(event, "run-7").key).toBe("run-7");
    expect(eventMessage(cloudEvent({ ...PARTS, id: "e2", correlationid: "run-1" }, ports)).key).toBe("run-1");
    expect(eventMessage(cloudEvent({ ...PARTS, id: "e3" }, ports)).key).toBe("e3");
  });

  it.each([
    [{ source: "no uri" }, /source to be a URI/],
    [{ subject: "" }, /attribute subject/],
    [{ type: "a\nb" }, /attribute type/],
    [{ time: Number.NaN }, /time in ms/],
    [{ dataschema: "/relative" }, /dataschema to be a URI with its scheme/],
    [{ traceparent: "00-abc" }, /traceparent/],
    [{ extensions: { tenantId: "a" } }, /attributes named with a-z and 0-9/],
    [{ extensions: { size: 2 ** 31 } }, /attribute size/],
    [{ extensions: { size: 0.5 } }, /attribute size/],
    [{ extensions: { note: "\ud800" } }, /attribute note/],
    [{ extensions: { note: "\u0085" } }, /attribute note/],
    [{ extensions: { note: "\ufffe" } }, /attribute note/],
  ])("is refused with %j", (wrong, message) => {
    expect(() => cloudEvent({ ...PARTS, ...wrong }, ports)).toThrow(message);
  });

  it("cannot travel under a type that is no subject", () => {
    const event = cloudEvent({ ...PARTS, type: "shop/order placed" }, ports);
    expect(() => eventMessage(event)).toThrow(/subject of an event/);
  });
});

describe("an event that is read", () => {
  const text = (change: object) => JSON.stringify({ specversion: "1.0", id: "1", source: "/s", type: "t", ...change });

  it("may leave out all but four attributes, say null for one that is not set, and have any JSON as data", () => {
    expect(readCloudEvent(text({}))).toEqual({ specversion: "1.0", id: "1", source: "/s", type: "t" });
    expect(readCloudEvent(text({ subject: null, data: null }))).toMatchObject({ data: null });
    expect(readCloudEvent(text({ subject: null }))).not.toHaveProperty("subject");
    expect(readCloudEvent(text({ data: [1, "a", { b: null }] })).data).toEqual([1, "a", { b: null }]);
    expect(readCloudEvent(text({ time: "2026-01-31T08:00:00.123456789+01:00" })).time).toContain("123456789");
  });

  it.each([
    ["no json", /text that is not JSON: no json/],
    ["[]", /a CloudEvent, which is an object, got \[\]/],
    [text({ specversion: "0.3" }), /specversion 1.0, got "0.3"/],
    [text({ id: undefined }), /a text as id, got nothing/],
    [text({ id: 7 }), /a text as id, got 7/],
    [text({ source: "" }), /attribute source/],
    [text({ type: null }), /a text as type, got nothing/],
    [text({ time: "yesterday" }), /time to be RFC 3339/],
    [text({ time: "2026-99-01T00:00:00Z" }), /time to be a moment that exists/],
    [text({ datacontenttype: "json" }), /datacontenttype to be a media type/],
    [text({ tenant: { a: 1 } }), /attribute tenant/],
    [text({ data: 1, data_base64: "AA==" }), /either data or data_base64, got both/],
  ])("is refused: %s", (body, message) => {
    expect(() => readCloudEvent(body)).toThrow(expect.objectContaining({ code: "event-invalid" }));
    expect(() => readCloudEvent(body)).toThrow(message);
  });
});
