import { it } from "vitest";
import { sameAnswers } from "../../testing/batch-store/random-calls.test.support.js";
import { open } from "./under-test.test.support.js";

const SEEDS = Number(process.env.BATCH_SEEDS ?? 200);

it(
  `loses no chunk and counts none twice, whatever is called, for ${SEEDS} seeds`,
  async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) await sameAnswers([await open("many")], seed, 3);
  },
  60_000 + 10_000 * SEEDS,
);
