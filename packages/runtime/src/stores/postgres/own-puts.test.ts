import { expect, it } from "vitest";
import { newEvent } from "../../testing/event-store/harness.js";
import { guardClient } from "../../worker/guarded-client.js";
import { keepPuts, notePut } from "./own-puts.js";

it("keeps what is put by a client of the store's own transaction, through a callback's guard too, until it ends", () => {
  const client = {};
  const { put, forget } = keepPuts(client);
  expect(notePut(client, [newEvent(1)])).toBe(true);
  expect(notePut(guardClient(client).client, [newEvent(2)])).toBe(true);
  forget();
  expect(notePut(client, [newEvent(3)])).toBe(false);
  expect(put).toEqual([newEvent(1), newEvent(2)]);
});

it("knows nothing of other clients", () => {
  expect(notePut({}, [newEvent(1)])).toBe(false);
});
