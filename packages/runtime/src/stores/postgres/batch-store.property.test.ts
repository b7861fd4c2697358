import { it } from "vitest";
import { sameAnswers } from "../../testing/batch-store/random-calls.test.support.js";
import { createManualClock } from "../../testing/manual-clock.js";
import { open as openMemory } from "../memory/under-test.test.support.js";
import { postgresForTests } from "./throwaway.test.support.js";

const { open } = postgresForTests();
const SEEDS = Number(process.env.BATCH_SEEDS ?? 12);

it(
  `answers as the memory store does, whatever is called, for ${SEEDS} seeds`,
  async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const [memory, postgres] = [await openMemory("many"), await open()];
      try {
        // A machine that is slow would have it think that the server was silent.
        const store = await postgres.reopen({ clock: createManualClock() });
        await sameAnswers([memory, { ...postgres, store }], seed, 3);
      } finally {
        await postgres.close();
      }
    }
  },
  60_000 + 10_000 * SEEDS,
);
