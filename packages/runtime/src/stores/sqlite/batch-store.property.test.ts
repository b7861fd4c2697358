import { it } from "vitest";
import { sameAnswers } from "../../testing/batch-store/random-calls.test.support.js";
import { open as openMemory } from "../memory/under-test.test.support.js";
import { open } from "./under-test.test.support.js";

const SEEDS = Number(process.env.BATCH_SEEDS ?? 8);

it(
  `answers as the memory store does, whatever is called, for ${SEEDS} seeds`,
  async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const [memory, sqlite] = [await openMemory("one"), await open()];
      try {
        await sameAnswers([memory, sqlite], seed, 2);
      } finally {
        await sqlite.close();
      }
    }
  },
  60_000 + 10_000 * SEEDS,
);
