import type { ManualClock } from "../../testing/manual-clock.js";
import { SeededRandom } from "../seeded-random.js";
import type { Faults } from "./faults.js";
import type { SimulatedProcess } from "./simulated-process.js";

/** No clock is more wrong than that, ms. */
const MOST_SKEW_MS = 3_600_000;
const PURPOSE = 0x6a756d70;

export function randomSkew(random: SeededRandom): number {
  return random.below(2 * MOST_SKEW_MS) - MOST_SKEW_MS;
}

/** Sets the clock of one process after the other, until calm. By chance of its own, which changes nothing else. */
export function jumpClocks(
  seed: number,
  clock: ManualClock,
  faults: Faults,
  alive: () => readonly SimulatedProcess[],
): void {
  const random = new SeededRandom(seed + PURPOSE);
  const jumpLater = (): void => {
    clock.after(500 + random.below(8_000), () => {
      if (faults.isCalm) return;
      const processes = alive();
      if (processes.length > 0) {
        faults.count("clock jumps");
        random.pick(processes).clock.jump(randomSkew(random));
      }
      jumpLater();
    });
  };
  jumpLater();
}
