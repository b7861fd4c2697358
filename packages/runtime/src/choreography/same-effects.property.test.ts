import fc from "fast-check";
import { expect, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import { defineSaga } from "../saga/define.js";
import type { SagaDefinition, StepDefinition } from "../saga/definition.js";
import { SagaBench } from "../testing/saga-bench.test.support.js";

/** What a stage does, attempt by attempt, and then always; and whether it can be undone. */
interface Stage {
  readonly failures: number;
  readonly ends: "completes" | "refuses" | "fails";
  readonly undo: "none" | "at-once" | "at-second-try";
  readonly takesMs: number;
}

interface World {
  readonly waves: readonly (readonly Stage[])[];
  readonly pivotAfterWave: number | null;
  /** Another process takes over then. */
  readonly restartAfterMs: number | null;
}

const stage: fc.Arbitrary<Stage> = fc.record({
  failures: fc.constantFrom(0, 0, 1),
  ends: fc.constantFrom("completes", "completes", "completes", "refuses", "fails"),
  undo: fc.constantFrom("none", "at-once", "at-second-try"),
  takesMs: fc.constantFrom(0, 0, 10, 700),
});

const worlds: fc.Arbitrary<World> = fc
  .record({
    waves: fc.array(fc.array(stage, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
    pivot: fc.option(fc.nat(3)),
    restartAfterMs: fc.option(fc.nat(3_000)),
  })
  .map(({ waves, pivot, restartAfterMs }) => {
    const pivotAfterWave = pivot === null ? null : pivot % waves.length;
    return {
      // Past the pivot a stage that never succeeds waits for an operator, either way: no end to compare.
      waves: waves.map((wave, index) =>
        wave.map((each) => settled(each, pivotAfterWave !== null && index > pivotAfterWave)),
      ),
      pivotAfterWave,
      restartAfterMs,
    };
  });

/** What cannot be undone is done at once: whether a sibling's failure comes before its second attempt is a matter of time. */
function settled(each: Stage, isPastPivot: boolean): Stage {
  const atOnce = each.undo === "none" ? { failures: 0, takesMs: 0 } : {};
  return { ...each, ...atOnce, ends: isPastPivot ? "completes" : each.ends };
}

/** Effects by key, as a participant with a barrier has them. */
class Ledger {
  readonly applied = new Set<string>();
  readonly undone = new Set<string>();
  readonly attempts = new Map<string, number>();

  count(key: string): number {
    const attempt = (this.attempts.get(key) ?? 0) + 1;
    this.attempts.set(key, attempt);
    return attempt;
  }

  /** What is there in the end. */
  get effects(): string[] {
    return [...this.applied].filter((name) => !this.undone.has(name)).sort();
  }
}

function define(world: World, bench: SagaBench, ledger: Ledger, style: "choreography" | undefined): SagaDefinition {
  const waves = world.waves.map((wave, w) => ({
    steps: wave.map((each, s): StepDefinition => {
      const name = `s${w}_${s}`;
      return {
        ...{ name, kind: "action", timeoutMs: null, retry: { maxAttempts: 3, initialDelayMs: 100, jitter: "none" } },
        action: {
          run: async () => {
            const attempt = ledger.count(name);
            if (each.takesMs > 0) await bench.later(each.takesMs);
            if (attempt <= each.failures || each.ends === "fails") throw new Error("not now");
            if (each.ends === "refuses") throw new BusinessRefusal("never");
            ledger.applied.add(name);
            return { name };
          },
        },
        compensation:
          each.undo === "none"
            ? null
            : {
                ...{ timeoutMs: null, retry: { maxAttempts: 5, initialDelayMs: 100, jitter: "none" } },
                action: {
                  run: () => {
                    if (each.undo === "at-second-try" && ledger.count(`undo ${name}`) === 1) throw new Error("not now");
                    ledger.undone.add(name);
                  },
                },
              },
      };
    }),
  }));
  const { pivotAfterWave } = world;
  return defineSaga({ name: "s", waves, pivotAfterWave, timeoutMs: null, ...(style && { style }) });
}

async function play(world: World, style: "choreography" | undefined) {
  const bench = await SagaBench.create("memory");
  const ledger = new Ledger();
  try {
    const definition = define(world, bench, ledger, style);
    let manager = await bench.open([definition]);
    const { id } = await bench.until(manager.start("s", {}));
    if (world.restartAfterMs !== null) {
      await bench.pass(world.restartAfterMs);
      await bench.until(manager.close(0));
      manager = await bench.open([definition]);
    }
    const run = await bench.until(manager.wait(id, 3_600_000));
    const undone = run.steps
      .filter(({ compensation }) => compensation?.status === "compensated")
      .map(({ name }) => name);
    return { status: run.status, effects: ledger.effects, code: run.error?.code, undone, applied: ledger.applied };
  } finally {
    await bench.close();
  }
}

it("orchestrated and choreographed runs of one definition, with the same failures, end with the same effects", async () => {
  await fc.assert(
    fc.asyncProperty(worlds, async (world) => {
      const orchestrated = await play(world, undefined);
      const choreographed = await play(world, "choreography");
      expect(choreographed).toMatchObject({ status: orchestrated.status, effects: orchestrated.effects });
      // The journal tells of each effect that was taken back.
      for (const name of choreographed.undone) expect(choreographed.effects).not.toContain(name);
    }),
    { numRuns: Number(process.env.RUNS ?? 150) },
  );
}, 120_000);
