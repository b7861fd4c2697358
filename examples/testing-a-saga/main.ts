/**
 * Checks a saga without a test runner and without a server: fails each step, repeats each act, kills the process at each row. A
 * compensation that undoes only what it is sure of leaves money on a card; the checks find it, and so does a simulation by seeds.
 */
import { SagaCheckFailed, type SagaTestOptions, sagaChecks, simulateSaga } from "@clean-arch/runtime/testing/sagas";
import { Cards, giftCardSaga } from "./gift-card.js";

let cards = new Cards();
const options: SagaTestOptions = {
  input: { cents: 5_000 },
  beforeEach: () => {
    cards = new Cards();
  },
  afterEach: ({ status }) => {
    const expected = status === "completed" ? 1 : 0;
    const { size } = cards.issued;
    if (status !== "stuck" && size !== expected)
      throw new Error(`expected ${expected} cards with money after a run that ended ${status}, got ${size}`);
  },
};

for (const undo of ["when sure", "always"] as const) {
  const giftCard = giftCardSaga(() => cards, undo);
  console.log(`it undoes ${undo}:`);
  const checks = sagaChecks(giftCard, options);
  let held = 0;
  for (const { name, run } of checks) {
    try {
      await run();
      held += 1;
    } catch (error) {
      console.log(`  ${name}\n    ${problem(error)}`);
    }
  }
  console.log(`  ${held} of ${checks.length} checks hold`);
  const simulated = simulateSaga(giftCard, { ...options, seeds: 100 });
  const lives = await simulated.then(
    ({ seeds }) => `${seeds} simulated lives hold`,
    () => "a simulated life finds it, too",
  );
  console.log(`  ${lives}`);
}

/** Without the journal and the calls, which come after it. */
function problem(error: unknown): string {
  if (error instanceof SagaCheckFailed) return error.message.split("\n")[0] ?? "";
  throw error;
}
