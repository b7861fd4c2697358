import { type Postgres, startPostgres } from "@clean-arch/test-servers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { resolveConfig } from "../../config.js";
import { RuntimeError } from "../../errors.js";
import { type Clock, systemPorts } from "../../ports.js";
import { saga } from "../../saga/builder.js";
import type { SagaManager } from "../../saga/manager.js";
import type { Definition } from "../../saga/registry.js";
import { createSagaManager } from "../../saga/saga-manager.js";
import type { RunStore } from "../../store/run-store.js";
import { createPostgresRunStore } from "./run-store.js";

const LEASE_MS = 1_500;
const HOUR_MS = 3_600_000;

let server: Postgres;
const managers: SagaManager[] = [];
beforeEach(async () => {
  server = await startPostgres({ fsync: false });
});
afterEach(async () => {
  for (const manager of managers.splice(0)) await manager.close(0);
  await server.remove();
});

function manage(definition: Definition, clock: Clock, change: (store: RunStore) => RunStore = (it) => it): SagaManager {
  const manager = createSagaManager({
    store: change(createPostgresRunStore({ url: server.url(), connectTimeoutMs: 1_000 })),
    ...{ definitions: [definition], participants: {}, pollMs: 50, ports: { ...systemPorts, clock } },
    config: resolveConfig({ recovery: { leaseMs: LEASE_MS, initialDelayMs: 100, jitter: "none" } }),
  });
  managers.push(manager);
  return manager;
}

/** A wall clock that is wrong; timers are right, as they are on any machine. */
const wrongBy = (ms: number): Clock => ({ ...systemPorts.clock, now: () => Date.now() + ms });

/** Its first step begins and then waits for `proceed`. `begun`: the key of each attempt. */
function heldSaga() {
  const begun: string[] = [];
  let proceed = (): void => {};
  const held = new Promise<void>((resolve) => {
    proceed = resolve;
  });
  const definition = saga("s")
    .step("first", {
      run: ({ idempotencyKey }) => {
        begun.push(idempotencyKey);
        return held;
      },
    })
    .sleep("nap", { for: "300ms" })
    .step("last", { run: () => "done" })
    .build();
  return { definition, begun, proceed: () => proceed() };
}

it("a server that is down for longer than a lease costs time and no run", async () => {
  const { definition, begun, proceed } = heldSaga();
  const [one, other] = [manage(definition, systemPorts.clock), manage(definition, systemPorts.clock)];
  await Promise.all([one.open(), other.open()]);
  const runs = await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? one : other).start("s", {})));
  await expect.poll(() => begun.length).toBe(10);
  await server.stop("immediate");
  for (const manager of [one, other])
    await expect
      .poll(() => manager.health(), { timeout: 10_000 })
      .toMatchObject({ ok: false, store: "down", worker: "standby" });
  // Asked for meanwhile: it is written when there is somewhere to write.
  const late = one.start("s", {});
  proceed();
  await server.start();
  for (const { id } of [...runs, await late])
    expect(await other.wait(id, 15_000)).toMatchObject({ status: "completed", output: "done" });
  expect(new Set(begun).size).toBe(11);
});

it("takes a manager that was opened too early when the server has come", async () => {
  const { definition, proceed } = heldSaga();
  proceed();
  await server.stop("fast");
  const manager = manage(definition, systemPorts.clock);
  await expect(manager.open()).rejects.toMatchObject({ code: "store-unavailable" });
  expect(await manager.health()).toMatchObject({ ok: false, store: "down" });
  await server.start();
  await manager.open();
  const { id } = await manager.start("s", {});
  expect(await manager.wait(id, 15_000)).toMatchObject({ status: "completed" });
});

it("instances whose clocks are two hours apart take over when the lease is up, and sleep as long as they should", async () => {
  const { definition, begun, proceed } = heldSaga();
  let cut = false;
  const ahead = manage(definition, wrongBy(HOUR_MS), (store) => ({ ...store, renew: unlessCut(store.renew) }));
  function unlessCut<Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) {
    return (...args: Args): Promise<Result> =>
      cut ? Promise.reject(new RuntimeError("store-unavailable", "cut off")) : call(...args);
  }
  const behind = manage(definition, wrongBy(-HOUR_MS));
  await ahead.open();
  const { id } = await ahead.start("s", {});
  await expect.poll(() => begun.length).toBe(1);
  // Nobody is given up before the server has been up for a lease.
  await expect
    .poll(() => server.run("select clock_timestamp() - pg_postmaster_start_time() > '2s'"), { timeout: 10_000 })
    .toBe("t");
  await behind.open();
  cut = true;
  const holder = (await behind.instances()).find(({ runs }) => runs === 1);
  await expect.poll(() => begun.length, { timeout: 10_000 }).toBe(2);
  expect(new Set(begun).size).toBe(1);
  proceed();
  expect(await behind.wait(id, 10_000)).toMatchObject({ status: "completed" });
  const rows = await behind.journal(id);
  const at = (kind: string) => rows.find(({ records }) => records.some((record) => record.kind === kind))?.at ?? 0;
  expect(at("claimed")).toBeGreaterThanOrEqual(holder?.leaseExpiresAt ?? Number.NaN);
  expect(at("claimed")).toBeLessThan((holder?.leaseExpiresAt ?? Number.NaN) + 2_000);
  const napMs = at("finished") - at("suspended");
  expect(napMs).toBeGreaterThanOrEqual(300);
  expect(napMs).toBeLessThan(2_300);
});
