import { describe, expect, it } from "vitest";
import { saga } from "../../../saga/builder.js";
import type { SagaDefinition } from "../../../saga/definition.js";
import type { SagaOutcome } from "../checks/saga-check-options.js";
import { simulateSaga } from "./simulate-saga.js";

/** Money in two accounts, moved once per key unless the bug is there. */
class Bank {
  readonly #moved = new Map<string, number>();
  readonly #isCareless: boolean;
  total = 0;

  constructor(isCareless: boolean) {
    this.#isCareless = isCareless;
  }

  move(key: string, cents: number): void {
    if (this.#moved.has(key) && !this.#isCareless) return;
    this.#moved.set(key, cents);
    this.total += cents;
  }

  back(key: string): void {
    this.total -= this.#moved.get(key) ?? 0;
    this.#moved.set(key, 0);
  }
}

function transfer(bank: () => Bank): SagaDefinition {
  return saga("transfer", { timeout: "30d" })
    .step("take", {
      run: ({ idempotencyKey }) => bank().move(idempotencyKey, 5),
      compensate: ({ forwardKey }) => bank().back(forwardKey),
    })
    .parallel((group) =>
      group
        .step("tell", { service: "mail", endpoint: "/tell" })
        .step("book", { service: "ledger", endpoint: "/book", compensate: { service: "ledger", endpoint: "/cancel" } }),
    )
    .sleep("settle", { for: "2d" })
    .waitFor("confirm", { timeout: "3d" })
    .step("give", {
      run: async ({ idempotencyKey }) => bank().move(idempotencyKey, -5),
      compensate: ({ forwardKey }) => bank().back(forwardKey),
    })
    .build();
}

function simulated({ isCareless = false, seeds }: { isCareless?: boolean; seeds: number | number[] }) {
  let bank = new Bank(isCareless);
  const outcomes: SagaOutcome[] = [];
  const simulation = simulateSaga(
    transfer(() => bank),
    {
      seeds,
      beforeEach: () => {
        bank = new Bank(isCareless);
      },
      afterEach: (outcome) => {
        outcomes.push(outcome);
        if (outcome.status !== "stuck") expect(bank.total).toBe(0);
      },
    },
  );
  return { simulation, outcomes };
}

describe("the simulation of a saga", () => {
  it("leads runs to every end, through faults of every kind, and finds them as they should be", async () => {
    const report = await simulated({ seeds: 120 }).simulation;
    expect([...report.ends.keys()].sort()).toEqual(["cancelled", "compensated", "completed"]);
    expect([...report.faults.keys()].sort()).toEqual([
      ...["crash", "done twice", "failed", "hangs", "refused", "reply lost"],
      ...["store: late", "store: reply-lost", "store: unavailable"],
    ]);
    expect(report.virtualMs).toBeGreaterThan(100 * 86_400_000);
  });

  it("finds a step that is not safe to be done twice, and names a seed that shows it again", async () => {
    const failure = await simulated({ isCareless: true, seeds: 60 }).simulation.then(
      () => "nothing was found",
      (error: Error) => error.message,
    );
    expect(failure).toMatch(
      /saga "transfer", check "seed \d+ of simulateSaga; replay it with \{ seeds: \[\d+\] \}": expected/,
    );
    const seed = Number(/seed (\d+)/.exec(failure)?.[1]);
    await expect(simulated({ isCareless: true, seeds: [seed] }).simulation).rejects.toThrow(failure);
  });

  it("is the same life each time", async () => {
    const [first, again] = [simulated({ seeds: [7, 8, 9] }), simulated({ seeds: [7, 8, 9] })];
    expect(await first.simulation).toEqual(await again.simulation);
    expect(first.outcomes).toEqual(again.outcomes);
  });

  it("wants a saga that completes when all goes well", async () => {
    const never = saga("never", { timeout: "1h" })
      .step("no", { run: () => Promise.reject(new Error("down")) })
      .build();
    await expect(simulateSaga(never, { seeds: 1 })).rejects.toThrow(
      'check "completes": expected the run to end completed',
    );
  });

  it("refuses to simulate nothing", async () => {
    await expect(simulated({ seeds: [] }).simulation).rejects.toThrow("expected at least one seed, got none");
  });
});
