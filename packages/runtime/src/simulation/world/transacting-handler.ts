import type { Direction } from "../../engine/records.js";
import type { StepOutcome } from "../../engine/step-outcome.js";
import { BusinessRefusal } from "../../errors.js";
import type { Json } from "../../json.js";
import type { MemoryClient } from "../../stores/memory/index.js";
import type { ManualClock } from "../../testing/manual-clock.js";
import type { SeededRandom } from "../seeded-random.js";
import type { SentCall } from "./call-watch.js";
import type { ContextWatch } from "./context-watch.js";
import { effectKey } from "./effect-watch.js";
import type { Faults } from "./faults.js";
import type { ProcessClock } from "./process-clock.js";

interface World {
  readonly clock: ManualClock;
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly contexts: ContextWatch;
  readonly timeoutMs: number;
}

/**
 * A handler whose effect lies in the run store: it counts one up, or takes away what is there, in its step's transaction.
 * In the middle of it it may throw, refuse, take its time or hang; it may throw after its commit as well.
 */
export async function transact(
  { clock, random, faults, contexts, timeoutMs }: World,
  call: SentCall,
  direction: Direction,
  process: ProcessClock,
): Promise<StepOutcome> {
  const error = { code: "simulated", message: "simulated" };
  const later = (ms: number): Promise<void> =>
    new Promise((resolve) => void clock.after(ms, () => process.enter(resolve)));
  const dice = faults.isCalm ? 0 : random.float();
  if (dice >= 0.72) faults.count(`transaction: ${direction === "forward" ? "step" : "compensation"} goes wrong`);
  const key = effectKey(call.runId, call.stage);
  const returned = random.chance(0.6) ? { context: { [`ret:${call.stage}`]: contexts.nextNumber() } } : {};
  const poison = dice >= 0.72 && dice < 0.75 ? { poison: "\0" } : {};
  try {
    if (random.chance(0.3)) await later(random.below(60));
    const output = await call.transaction(async (client: MemoryClient): Promise<Json> => {
      if (direction === "forward") client.set(key, Number(client.get(key) ?? 0) + 1);
      else client.delete(key);
      if (random.chance(0.7)) await later(random.below(random.chance(0.3) ? timeoutMs : 60));
      if (dice >= 0.75 && dice < 0.84) throw new Error("simulated");
      if (dice >= 0.84 && dice < 0.88) throw new BusinessRefusal("simulated");
      if (dice >= 0.88 && dice < 0.92) await later(timeoutMs + random.below(timeoutMs));
      if (dice >= 0.92 && dice < 0.95) await new Promise(() => {});
      return direction === "forward" ? { by: call.attempt, ...returned, ...poison } : null;
    });
    // Nobody hears it: the attempt has completed.
    if (dice >= 0.95) return { kind: "failed", error, mayHaveRun: true, retry: true };
    return { kind: "completed", output };
  } catch (thrown) {
    if (thrown instanceof BusinessRefusal) return { kind: "refused", error };
    return { kind: "failed", error, mayHaveRun: true, retry: true };
  }
}
