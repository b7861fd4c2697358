import { resolveConfig, type SessionConfig } from "../../config.js";
import type { SeededRandom } from "../seeded-random.js";

/** Short times, so that a minute holds many leases, retries, timeouts and snapshots. `more`: for what came to it later. */
export function randomConfig(random: SeededRandom, more: SeededRandom): SessionConfig {
  const initialDelayMs = 1 + random.below(1_000);
  const strategy = random.pick(["time", "step", "count", "manual"] as const);
  return resolveConfig({
    saga: { timeoutMs: random.chance(0.8) ? 600_000 : 1_000 + random.below(10_000) },
    context: { storage: "memory" },
    checkpoint: {
      enabled: random.chance(0.85),
      strategy,
      interval: strategy === "time" ? 50 + random.below(3_000) : 1 + random.below(3),
      keep: 1 + random.below(5),
    },
    recovery: {
      enabled: random.chance(0.9),
      strategy: random.chance(0.7) ? "compensate" : random.pick(["retry", "manual"] as const),
      maxAttempts: 1 + random.below(4),
      backoff: random.pick(["exponential", "linear", "fixed"] as const),
      initialDelayMs,
      maxDelayMs: initialDelayMs * (1 + random.below(20)),
      jitter: random.pick(["full", "none"] as const),
      leaseMs: 2_000 + random.below(8_000),
      maxCrashes: more.pick([1, 2, 3]),
    },
    retention: { endedMs: more.chance(0.06) ? 150_000 : null },
  });
}
