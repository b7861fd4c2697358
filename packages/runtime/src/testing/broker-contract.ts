import { describe, it } from "vitest";
import { grouping } from "./broker/grouping.js";
import { handling } from "./broker/handling.js";
import { opening } from "./broker/opening.js";
import { publishing } from "./broker/publishing.js";
import { silence } from "./broker/silence.js";
import { stopping } from "./broker/stopping.js";
import type { BrokerUnderTest, Test } from "./broker/world.js";

export type { BrokerUnderTest } from "./broker/world.js";

/**
 * The contract of brokers as tests: `brokerContract("nats", { open })` in a Vitest file. Each test opens two brokers of its own over
 * messages that no other test sees, so they may run side by side.
 */
export interface BrokerContractOptions {
  open(): Promise<BrokerUnderTest>;
}

export function brokerContract(name: string, options: BrokerContractOptions): void {
  const test: Test = (title, body) =>
    it(title, async ({ skip }) => {
      const opened = await options.open();
      try {
        await body({ ...opened, skip });
      } finally {
        await opened.close();
      }
    });

  describe(`broker contract: ${name}`, () => {
    describe("opening", () => opening(test));
    describe("publishing", () => publishing(test));
    describe("groups", () => grouping(test));
    describe("handling", () => handling(test));
    describe("silence", () => silence(test));
    describe("stopping", () => stopping(test));
  });
}
