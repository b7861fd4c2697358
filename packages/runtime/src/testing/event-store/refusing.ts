import { describe, expect } from "vitest";
import { type EventMessage, MAX_EVENT_BYTES } from "../../broker/event-message.js";
import { first, POISON } from "../run-store-contract/harness.js";
import { type EventTest, GROUP, idsIn, leaseOf, newEvent } from "./harness.js";

/** Events that no store takes, with what is wrong. */
export const BAD_EVENTS: readonly (readonly [string, Partial<EventMessage>])[] = [
  ["an empty id", { id: "" }],
  ["an id with a space", { id: "a b" }],
  ["an id that is too long", { id: "x".repeat(129) }],
  ["an empty subject", { subject: "" }],
  ["a subject with an empty word", { subject: "order..paid" }],
  ["a subject that is too long", { subject: "x".repeat(201) }],
  ["an empty key", { key: "" }],
  ["a key that is too long", { key: "x".repeat(257) }],
  ["a body that is too large", { body: "x".repeat(MAX_EVENT_BYTES + 1) }],
  ["a body of too many bytes in fewer characters", { body: "é".repeat(MAX_EVENT_BYTES / 2 + 1) }],
  ...POISON.flatMap(([what, text]): [string, Partial<EventMessage>][] => [
    [`${what} in the id`, { id: text }],
    [`${what} in the subject`, { subject: text }],
    [`${what} in the key`, { key: text }],
    [`${what} in the body`, { body: text }],
  ]),
];

export function refusing(test: EventTest): void {
  describe("what cannot be stored", () => {
    for (const [what, bad] of BAD_EVENTS) {
      test(`is rejected for ${what}, and the others of the batch are stored`, async ({ events }) => {
        const results = await events.put([newEvent(1), newEvent(2, bad), newEvent(3)]);
        expect(results).toEqual([
          { kind: "stored" },
          { kind: "rejected", reason: expect.stringMatching(/^expected .+/) },
          { kind: "stored" },
        ]);
        expect(await idsIn(events)).toEqual(["event-1", "event-3"]);
      });
    }

    for (const [what, text] of POISON) {
      test(`is refused when ${what} is in the name of a group, a member or an event, or in a note`, async ({
        events,
      }) => {
        const lease = await leaseOf(events, 0, "member");
        const parked = { event: newEvent(1), error: { code: "x", message: "y" }, attempts: 1, parkedAt: 0 };
        const calls: (() => Promise<unknown>)[] = [
          () => events.lease(text, "member", 1_000),
          () => events.lease(GROUP, text, 1_000),
          () => events.advance(GROUP, lease, null, text),
          () => events.begin(text, "event-1"),
          () => events.begin(GROUP, text),
          () => events.park({ ...parked, group: text }),
          () => events.park({ ...parked, group: GROUP, event: newEvent(1, { body: text }) }),
        ];
        for (const call of calls) await expect(call(), String(call)).rejects.toMatchObject({ code: "input-invalid" });
        expect(await leaseOf(events, 0, "member")).toEqual(lease);
        expect(first(await events.groups())).toMatchObject({ group: GROUP });
        expect((await events.parked({ limit: 10 })).items).toEqual([]);
      });
    }

    test("is refused when a position or a cursor is none of the store's own", async ({ events }) => {
      const lease = await leaseOf(events, 0, "member");
      for (const made of ["", "nonsense", "-1", "1; drop table x", "1.5"]) {
        const calls: (() => Promise<unknown>)[] = [
          () => events.read(0, made, 1),
          () => events.advance(GROUP, lease, made, null),
          () => events.parked({ limit: 1, cursor: made }),
        ];
        for (const call of calls)
          await expect(call(), `${call} of ${made}`).rejects.toMatchObject({ code: "input-invalid" });
      }
      expect(await leaseOf(events, 0, "member")).toEqual(lease);
    });
  });
}
