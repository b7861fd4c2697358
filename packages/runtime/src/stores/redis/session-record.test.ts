import { expect, test } from "vitest";
import { decodeRecord } from "./session-record.js";

test("a record of another version is refused, and said what to do about", () => {
  const decode = () => decodeRecord('2 l 1 0 0 1000 - 0 - - - - - - - - - - -\nnull\n{"a":1}');
  expect(decode).toThrow(/expected a session's record of version 1, got one that begins with "2 l 1 0 ".*prefix/);
  expect(decode).toThrow(expect.objectContaining({ code: "store-incompatible" }));
});

test("a record says what lua/redis/record.lua put together", () => {
  const header = "1 l 7 1000 2000 60000 9000 3000 epoch hash - - - - 1500 2,pwd,a%2Cb - =a%20user 3:8";
  const stored = decodeRecord(`${header}\n["::1",null,"phone"]\n{"a":1}`);
  expect(stored).toMatchObject({
    kind: "login",
    tokenHash: "hash",
    epoch: "epoch",
    touchedAt: 2_000,
    expiresAt: 9_000,
  });
  expect(stored.record("id")).toEqual({
    ...{ id: "id", kind: "login", subject: "a user", data: { a: 1 }, revision: 7, owner: null },
    ...{ createdAt: 1_000, touchedAt: 2_000, idleMs: 60_000, expiresAt: 9_000, absoluteExpiresAt: 9_000 },
    ...{ rotatedAt: 3_000, signIn: { level: 2, methods: ["pwd", "a,b"], at: 1_500 } },
    device: { ip: "::1", label: "phone" },
  });
});
