import fc from "fast-check";
import { expect, it } from "vitest";
import { createLocalBroker } from "../brokers/local/index.js";
import { BusinessRefusal } from "../errors.js";
import { elsewhereStep } from "../saga/declared-step.js";
import { defineSaga } from "../saga/define.js";
import type { ActionStep, SagaDefinition } from "../saga/definition.js";
import type { SagaManager } from "../saga/manager.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import { createMemoryRunStore, createMemoryWorld } from "../stores/memory/index.js";
import { SagaBench } from "../testing/saga-bench.test.support.js";
import { defineEventParticipant } from "./event-participant.js";
import { unitsOf } from "./units.js";

/** What a stage does, attempt by attempt, and then always; and whether it can be undone. */
interface Stage {
  readonly failures: number;
  readonly ends: "completes" | "refuses" | "fails";
  readonly undo: "none" | "at-once" | "at-second-try";
  readonly takesMs: number;
  /** Where the saga is split, another service performs it. */
  readonly isElsewhere: boolean;
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
  isElsewhere: fc.boolean(),
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

const RETRY = { maxAttempts: 3, initialDelay: "100ms", jitter: "none" } as const;

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

/** `split`: choreographed, with stages in another service. */
type Style = "orchestration" | "choreography" | "split";

function define(world: World, bench: SagaBench, ledger: Ledger, style: Style): SagaDefinition {
  const waves = world.waves.map((wave, w) => ({
    steps: wave.map((each, s): ActionStep => {
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
  const how = style === "orchestration" ? "orchestration" : "choreography";
  return defineSaga({ name: "s", waves, pivotAfterWave, timeoutMs: null, style: how });
}

/** The definition without the stages that are elsewhere, and those stages as another service declares them. */
function split(world: World, definition: SagaDefinition) {
  const isElsewhere = (name: string): boolean => {
    const [w, s] = name.slice(1).split("_").map(Number);
    return world.waves[w ?? 0]?.[s ?? 0]?.isElsewhere === true;
  };
  const { all, turn } = unitsOf(definition);
  const stages = all.flatMap(({ name, step, after, isPastPivot }, index) => {
    if (step?.kind !== "action" || !isElsewhere(name)) return [];
    if (!("run" in step.action)) throw new Error("expected a function");
    const undo = step.compensation?.action;
    const behind = name === turn.name ? ["s.*.failed", "s.abort"] : [`s.${all[index + 1]?.name}.compensated`];
    return defineEventParticipant({
      ...{ saga: "s", stage: name, run: step.action.run, retry: RETRY },
      on: after.length === 0 ? "s.started" : `s.${after[0]}.completed`,
      compensatesOn: isPastPivot ? [] : behind,
      ...(undo && "run" in undo && { compensate: undo.run }),
    });
  });
  const waves = definition.waves.map(({ steps }) => ({
    steps: steps.map((step) =>
      isElsewhere(step.name) ? elsewhereStep(step.name, step.kind === "action" && step.compensation !== null) : step,
    ),
  }));
  return { rest: defineSaga({ ...definition, waves }), stages };
}

/** A broker for each process, over one outbox. */
async function brokersOf({ clock }: SagaBench) {
  const store = createMemoryRunStore({ clock, world: createMemoryWorld() });
  await store.open();
  const { events } = store;
  if (events === undefined) throw new Error("expected a store with events");
  const ports = { clock, random: new SeededRandom(1) };
  return () => createLocalBroker({ store: events, now: () => store.now(), ports });
}

async function openAll(world: World, style: Style, definition: SagaDefinition, bench: SagaBench) {
  if (style !== "split") return async () => [await bench.open([definition])];
  const { rest, stages } = split(world, definition);
  const newBroker = await brokersOf(bench);
  const other = createMemoryWorld();
  return async () => {
    const store = createMemoryRunStore({ clock: bench.clock, world: other });
    const elsewhere = { store, broker: newBroker(), eventParticipants: stages, eventGroup: "other" };
    return [await bench.open([rest], {}, { broker: newBroker() }), await bench.open([], {}, elsewhere)];
  };
}

async function play(world: World, style: Style, cancelAfterMs: number | null = null) {
  const bench = await SagaBench.create("memory");
  const ledger = new Ledger();
  try {
    const definition = define(world, bench, ledger, style);
    const open = await openAll(world, style, definition, bench);
    let managers = await open();
    const { id } = await bench.until(first(managers).start("s", {}));
    if (cancelAfterMs !== null) {
      await bench.pass(cancelAfterMs);
      const request = { actor: "me", reason: "changed my mind", idempotencyKey: "1" };
      // It may be past its pivot, or have ended.
      await bench.until(first(managers).act(id, "cancel", request)).catch(() => {});
    }
    if (world.restartAfterMs !== null) {
      await bench.pass(world.restartAfterMs);
      for (const manager of managers) await bench.until(manager.close(0));
      managers = await open();
    }
    const run = await bench.until(first(managers).wait(id, 3_600_000));
    const undone = run.steps
      .filter(({ compensation }) => compensation?.status === "compensated")
      .map(({ name }) => name);
    return { status: run.status, effects: ledger.effects, code: run.error?.code, undone, applied: ledger.applied };
  } finally {
    await bench.close();
  }
}

function first(managers: readonly SagaManager[]): SagaManager {
  const [manager] = managers;
  if (manager === undefined) throw new Error("expected a manager");
  return manager;
}

it("runs of one definition, with the same failures, end with the same effects: orchestrated, choreographed, and in two services", async () => {
  await fc.assert(
    fc.asyncProperty(worlds, async (world) => {
      const { status, effects } = await play(world, "orchestration");
      for (const style of ["choreography", "split"] as const) {
        const choreographed = await play(world, style);
        expect(choreographed).toMatchObject({ status, effects });
        // The journal tells of each effect that was taken back.
        for (const name of choreographed.undone) expect(choreographed.effects).not.toContain(name);
      }
    }),
    { numRuns: Number(process.env.RUNS ?? 150) },
  );
}, 120_000);

it("a run that is canceled at any time, in one service or two, is undone whole or goes on", async () => {
  const plays = fc.tuple(worlds, fc.nat(2_000), fc.constantFrom("choreography" as const, "split" as const));
  await fc.assert(
    fc.asyncProperty(plays, async ([world, cancelAfterMs, style]) => {
      const { status, effects } = await play(world, style, cancelAfterMs);
      const stays = world.waves.flatMap((wave, w) =>
        wave.flatMap(({ undo }, s) => (undo === "none" ? [`s${w}_${s}`] : [])),
      );
      if (status !== "completed") expect(stays).toEqual(expect.arrayContaining(effects));
      expect(["completed", "compensated", "cancelled"]).toContain(status);
    }),
    { numRuns: Number(process.env.RUNS ?? 100) },
  );
}, 120_000);
