import { expect, it } from "vitest";
import { type IsolatedRun, Isolation } from "./isolation.js";

function bench() {
  const runs: { readonly run: { readonly id: string }; isBusy: boolean; woken: number; wake(): void }[] = [];
  let creating = false;
  const isolation = new Isolation(
    () => runs,
    () => creating,
  );
  const run = (isBusy = false, id = `run ${runs.length}`) => {
    const made = {
      ...{ run: { id }, isBusy, woken: 0 },
      wake() {
        this.woken += 1;
      },
    };
    runs.push(made);
    return made;
  };
  const setCreating = (value: boolean): void => {
    creating = value;
  };
  return { isolation, run, setCreating };
}

/** What is woken is woken after the call. */
const turn = (): Promise<void> => Promise.resolve();

it("lets one suspect in at a time, beside those that are none, and wakes the others when it leaves", async () => {
  const { isolation, run } = bench();
  const [first, second, third, innocent] = [run(), run(), run(), run(true)];
  expect([isolation.enter(first, false), isolation.enter(second, false), isolation.enter(third, false)]).toEqual([
    true,
    false,
    false,
  ]);
  expect([isolation.pass(innocent), isolation.isClosed]).toEqual([true, false]);
  expect(isolation.enter(first, false)).toBe(true);
  isolation.leave(second);
  isolation.leave(first);
  expect([second.woken, third.woken]).toEqual([0, 0]);
  await turn();
  expect([second.woken, third.woken, innocent.woken]).toEqual([0, 1, 0]);
  expect(isolation.enter(third, false)).toBe(true);
});

it("lets one that must be alone in once nothing else is under way, and nobody begins anything meanwhile", async () => {
  const { isolation, run, setCreating } = bench();
  const [suspect, busy, idle] = [run(), run(true), run()];
  expect([isolation.enter(suspect, true), isolation.isClosed]).toEqual([false, true]);
  expect([isolation.pass(busy), isolation.pass(idle)]).toEqual([false, false]);
  isolation.settled();
  await turn();
  expect(suspect.woken).toBe(0);
  setCreating(true);
  busy.isBusy = false;
  isolation.settled();
  await turn();
  expect(suspect.woken).toBe(0);
  setCreating(false);
  isolation.settled();
  await turn();
  expect([suspect.woken, isolation.enter(suspect, true)]).toEqual([1, true]);
  suspect.isBusy = true;
  expect(isolation.pass(idle)).toBe(false);
  isolation.leave(suspect);
  await turn();
  expect([busy.woken, idle.woken, isolation.isClosed]).toEqual([1, 1, false]);
});

it("forgets who has gone", async () => {
  const { isolation, run } = bench();
  const [suspect, waiting]: IsolatedRun[] = [run(), run()];
  if (suspect === undefined || waiting === undefined) return expect.unreachable();
  isolation.enter(suspect, true);
  isolation.enter(waiting, false);
  isolation.leave(suspect);
  isolation.leave(suspect);
  isolation.settled();
  await turn();
  expect(isolation.enter(waiting, true)).toBe(true);
});

it("keeps the place of one that left until it is back, or is known to be another worker's", async () => {
  const { isolation, run } = bench();
  const [left, next] = [run(), run()];
  isolation.enter(left, true);
  isolation.leaveInDoubt(left);
  expect([isolation.enter(next, true), isolation.isClosed]).toEqual([false, true]);
  isolation.renewed((id) => id === left.run.id);
  expect(isolation.enter(next, true)).toBe(false);
  const back = run(false, left.run.id);
  expect(isolation.enter(back, true)).toBe(true);
  isolation.leave(left);
  expect(isolation.enter(next, true)).toBe(false);
  isolation.leaveInDoubt(back);
  isolation.renewed(() => false);
  await turn();
  expect([next.woken, isolation.enter(next, true)]).toEqual([1, true]);
});
