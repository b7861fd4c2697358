import type { Mutant } from "./mutant.js";

const src = (path: string): string => `packages/runtime/src/${path}`;

/** Of the relay, the consumer and the local broker. */
export const eventMutants: readonly Mutant[] = [
  {
    name: "relay: a broker that lost its end is not noticed",
    files: [src("events/shard-relay.ts")],
    find: "held === lost.position || ",
    replace: "true || ",
    tests: [src("events/relay.test.ts")],
  },
  {
    name: "relay: what the broker took after a loss hides it",
    files: [src("events/shard-relay.ts")],
    find: "      else held = null;\n      if (held !== null && at <= this.#heldUpTo) break;",
    replace: "      if (held !== null && at <= Number.POSITIVE_INFINITY) break;",
    tests: [src("events/relay.test.ts")],
  },
  {
    name: "relay: it publishes on top of what a silent broker may have lost",
    files: [src("events/shard-relay.ts")],
    find: ">= SILENCE_MS && (await",
    replace: ">= SILENCE_MS * 1_000 && (await",
    tests: [src("events/events.property.test.ts")],
  },
  {
    name: "relay: the position moves before the events are published",
    files: [src("events/shard-relay.ts")],
    find: "    const sentAt = ports.clock.monotonic();\n    const results",
    replace:
      "    const sentAt = ports.clock.monotonic();\n    await this.#advance(last.position, this.#receipts, signal);\n    const results",
    tests: [src("events/events.property.test.ts")],
  },
  {
    name: "relay: events older than the replay window are sent again",
    files: [src("events/replay-start.ts")],
    find: "start === undefined && storedAt >= notBefore",
    replace: "start === undefined",
    tests: [src("events/relay.test.ts")],
  },
  {
    name: "consumer: a parked event is handled again under the id that is done with",
    files: [src("events/consumer.ts")],
    find: "message.id + REDRIVEN",
    replace: "message.id",
    tests: [src("events/consumer.test.ts")],
  },
  {
    name: "consumer: a store that is down costs an event its attempts",
    files: [src("events/event-intake.ts")],
    find: "if (!isTransient(error)) throw error;",
    replace: "throw error;",
    tests: [src("events/consumer.test.ts")],
  },
  {
    name: "consumer: what failed stays in the transaction",
    files: [src("events/inbox.ts")],
    find: "const undone = transaction.rollback()",
    replace: "const undone = transaction.commit()",
    tests: [src("events/consumer.test.ts")],
  },
  {
    name: "local broker: the position passes what is not done",
    files: [src("brokers/local/shard-progress.ts")],
    find: "this.#open.findIndex(({ done }) => !done)",
    replace: "-1",
    tests: [src("events/events.property.test.ts"), src("brokers/local/broker.test.ts")],
  },
];
