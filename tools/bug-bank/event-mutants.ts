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
    name: "consumer: what went wrong in a batch is kept",
    files: [src("events/handling-batches.ts")],
    find: "batch?.rollback()",
    replace: "batch?.commit()",
    tests: [src("events/batches.test.ts"), src("events/events.property.test.ts")],
  },
  {
    name: "consumer: events count as handled once their batch was tried",
    files: [src("events/handling-batches.ts")],
    find: "      await batch.commit();\n      for",
    replace: "      void batch.commit().catch(() => {});\n      for",
    tests: [src("events/batches.test.ts")],
  },
  {
    name: "consumer: an event that failed comes into a batch again",
    files: [src("events/event-intake.ts")],
    find: "alone: isAgain || attempt > 1",
    replace: "alone: false",
    tests: [src("events/batches.test.ts")],
  },
  {
    name: "consumer: a handler that hangs holds its batch up for all its time",
    files: [src("events/handling-batches.ts")],
    find: "until - clock.monotonic()",
    replace: "Number.POSITIVE_INFINITY",
    tests: [src("events/batches.test.ts")],
  },
  {
    name: "consumer: once a batch went wrong there is none any more",
    files: [src("events/handling-batches.ts")],
    find: "if (await handleAlone(only)) this.#size.committed();",
    replace: "await handleAlone(only);",
    tests: [src("events/handling-batches.test.ts")],
  },
  {
    name: "postgres: a handler of a batch may commit it",
    files: [src("stores/postgres/handled-events.ts")],
    find: "eventIds.length > 1 ? keptOpen(client) : client",
    replace: "client",
    tests: [src("stores/postgres/handled-events.test.ts")],
  },
  {
    name: "postgres: a commit that rolled back counts as one",
    files: [src("stores/postgres/open-transaction.ts")],
    find: 'command !== "COMMIT"',
    replace: "command === undefined",
    tests: [src("stores/postgres/handled-events.test.ts")],
  },
  {
    name: "postgres: who waits for a lock in vain fails those beside it",
    files: [src("stores/postgres/event-store.ts")],
    find: "    isOfStatement,\n",
    replace: "    () => false,\n",
    tests: [src("stores/postgres/outbox.test.ts")],
  },
  {
    name: "postgres: nobody is told of events in a caller's transaction",
    files: [src("stores/postgres/event-store.ts")],
    find: "if (!notePut(client, events)) onPutWithin(events);",
    replace: "notePut(client, events);",
    tests: [src("stores/postgres/outbox.test.ts")],
  },
  {
    name: "local broker: the position passes what is not done",
    files: [src("brokers/local/shard-progress.ts")],
    find: "this.#open.findIndex(({ done }) => !done)",
    replace: "-1",
    tests: [src("events/events.property.test.ts"), src("brokers/local/broker.test.ts")],
  },
];
