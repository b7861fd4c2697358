import { describe, expect, it } from "vitest";
import { linearize, type Operation, type SequentialModel } from "./linearize.js";

/** A register: `{ write: n }`, or a read. */
type Call = { readonly write: number } | "read";

const register: SequentialModel<{ readonly value: number }, Call> = {
  initial: { value: 0 },
  apply: (state, call) =>
    call === "read" ? { state, answer: String(state.value) } : { state: { value: call.write }, answer: "ok" },
  key: ({ value }) => String(value),
};

const UNKNOWN = Number.POSITIVE_INFINITY;

function write(value: number, invokedAt: number, returnedAt: number): Operation<Call> {
  return { call: { write: value }, invokedAt, returnedAt, answer: returnedAt === UNKNOWN ? null : "ok" };
}

function read(value: number, invokedAt: number, returnedAt: number): Operation<Call> {
  return { call: "read", invokedAt, returnedAt, answer: String(value) };
}

const verdictOf = (...operations: Operation<Call>[]) => linearize(register, operations).kind;

describe("a history", () => {
  it("is explained by an order of calls that overlap", () => {
    expect(verdictOf(write(1, 1, 4), write(2, 2, 5), read(1, 3, 6), read(1, 7, 8))).toBe("explained");
    expect(verdictOf(write(1, 1, 4), read(0, 2, 3))).toBe("explained");
  });

  it("is not when a read is older than what was acknowledged before it", () => {
    expect(verdictOf(write(1, 1, 2), read(0, 3, 4))).toBe("unexplained");
    expect(verdictOf(write(1, 1, 4), read(1, 2, 3), read(0, 5, 6))).toBe("unexplained");
    expect(verdictOf(write(1, 1, 8), read(1, 2, 3), read(0, 4, 5))).toBe("unexplained");
  });

  it("may have a call of unknown outcome at any later time, once, or never", () => {
    expect(verdictOf(write(1, 1, UNKNOWN), read(0, 2, 3), read(0, 4, 5))).toBe("explained");
    expect(verdictOf(write(1, 1, UNKNOWN), read(0, 2, 3), read(1, 4, 5))).toBe("explained");
    expect(verdictOf(write(1, 1, UNKNOWN), write(2, 2, 3), read(1, 4, 5), read(2, 6, 7))).toBe("unexplained");
    expect(verdictOf(read(1, 1, 2), write(1, 3, UNKNOWN))).toBe("unexplained");
  });

  it("says how far it could be explained, and what would have had to be answered then", () => {
    const verdict = linearize(register, [write(1, 1, 2), read(1, 3, 4), read(0, 5, 6), read(1, 7, 8)]);
    expect(verdict).toMatchObject({
      kind: "unexplained",
      state: { value: 1 },
      next: [{ operation: { invokedAt: 5 }, expected: "1" }],
    });
  });
});
