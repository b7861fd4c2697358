import { expect } from "vitest";
import { resolveConfig } from "../config.js";
import { systemPorts } from "../ports.js";
import { saga } from "../saga/builder.js";
import { createSagaManager } from "../saga/saga-manager.js";
import type { RunStore } from "../store/run-store.js";

export interface Exhaustion {
  /** Not yet open. */
  readonly store: RunStore;
  /** Of what health then says. */
  readonly reason: RegExp;
  /** From here on the store answers, and has no room for what it is given. */
  readonly exhaust: () => unknown;
  readonly relieve: () => unknown;
}

/** Runs in the middle of their steps, and one that is just started, wait visibly, and go on when there is room. */
export async function expectToWaitForRoom({ store, reason, exhaust, relieve }: Exhaustion): Promise<void> {
  const effects = new Set<string>();
  let proceed = (): void => {};
  const held = new Promise<void>((resolve) => {
    proceed = resolve;
  });
  const definition = saga<{ bulk?: string }>("s")
    .step("first", {
      // Perhaps twice, under its key: the lease may run out meanwhile.
      run: async ({ idempotencyKey }) => {
        effects.add(idempotencyKey);
        await held;
      },
    })
    .step("second", { run: () => 2 })
    .build();
  const manager = createSagaManager({
    ...{ store, definitions: [definition], participants: {}, config: resolveConfig({}), pollMs: 50 },
  });
  await manager.open();
  try {
    const begun = await Promise.all([manager.start("s", {}), manager.start("s", {})]);
    await expect.poll(() => effects.size).toBe(2);
    expect(await manager.health()).toMatchObject({ ok: true, store: "up" });
    await exhaust();
    proceed();
    // Too large for what is left of the pages that the store has.
    const late = manager.start("s", { bulk: Buffer.from(systemPorts.random.bytes(20_000)).toString("base64") });
    await expect.poll(() => manager.health(), { timeout: 15_000 }).toMatchObject({ ok: false, store: "down" });
    expect((await manager.health()).detail).toMatch(reason);
    await relieve();
    for (const { id } of [...begun, await late])
      expect(await manager.wait(id, 15_000)).toMatchObject({ status: "completed", output: 2 });
    expect(effects.size).toBe(3);
    await expect
      .poll(() => manager.health(), { timeout: 5_000 })
      .toMatchObject({ ok: true, store: "up", worker: "active" });
  } finally {
    await manager.close(0);
  }
}
