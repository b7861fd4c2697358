import { describe, it } from "vitest";
import { committing } from "./session-store/committing.js";
import { creating } from "./session-store/creating.js";
import { expiring } from "./session-store/expiring.js";
import { limiting } from "./session-store/limiting.js";
import { listing } from "./session-store/listing.js";
import { opening } from "./session-store/opening.js";
import { owning } from "./session-store/owning.js";
import { racing } from "./session-store/racing.js";
import { reusing } from "./session-store/reusing.js";
import { revoking } from "./session-store/revoking.js";
import { rotating } from "./session-store/rotating.js";
import { signingIn } from "./session-store/signing-in.js";
import { succeeding } from "./session-store/succeeding.js";
import { sweeping } from "./session-store/sweeping.js";
import type { SessionStoreUnderTest, Test } from "./session-store/world.js";

export type { SessionStoreUnderTest } from "./session-store/world.js";

/**
 * The contract of session stores as tests: `sessionStoreContract("redis", { open })` in a Vitest file. Each test opens a
 * store of its own, so they may run side by side.
 */
export interface SessionStoreContractOptions {
  open(): Promise<SessionStoreUnderTest>;
}

export function sessionStoreContract(name: string, options: SessionStoreContractOptions): void {
  const test: Test = (title, body) =>
    it(title, async ({ skip }) => {
      const opened = await options.open();
      try {
        await body({ ...opened, other: opened.peer ?? opened.store, skip });
      } finally {
        await opened.close();
      }
    });

  describe(`session store contract: ${name}`, () => {
    describe("opening", () => opening(test));
    describe("creating and reading", () => creating(test));
    describe("committing", () => committing(test));
    describe("concurrent requests", () => racing(test));
    describe("deadlines", () => expiring(test));
    describe("sign-in and device", () => signingIn(test));
    describe("rotating", () => rotating(test));
    describe("grace and successors", () => succeeding(test));
    describe("reuse of replaced tokens", () => reusing(test));
    describe("limits per subject", () => limiting(test));
    describe("revoking", () => revoking(test));
    describe("listing", () => listing(test));
    describe("sweeping", () => sweeping(test));
    describe("owners of contexts", () => owning(test));
  });
}
