import { createRequire } from "node:module";
import fc from "fast-check";
import { expect, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import type { BarrierCall } from "./barrier.js";
import { sqliteBarrier } from "./sqlite-barrier.js";
import { type PreparingDatabase, sqliteHandle } from "./sqlite-handle.js";

const RUNS = Number(process.env.BARRIER_RUNS ?? 300);

/** One arrival at the participant, and what its handler would do if it were called. */
interface Arrival {
  readonly run: string;
  readonly step: string;
  readonly compensation: boolean;
  readonly fence: number;
  readonly handler: "works" | "throws" | "refuses";
  readonly outcome: "completed" | "unknown";
  readonly undoUnknown: boolean;
}

const arrival: fc.Arbitrary<Arrival> = fc.record({
  run: fc.constantFrom("a", "b"),
  step: fc.constantFrom("pay", "pay:r2", "items[3]/pay"),
  compensation: fc.boolean(),
  fence: fc.integer({ min: 0, max: 4 }),
  handler: fc.constantFrom("works", "works", "throws", "refuses"),
  outcome: fc.constantFrom("completed", "unknown"),
  undoUnknown: fc.boolean(),
});

/** The rules once more, in the plainest words: what was said about each key, and which effects there are. */
class Model {
  readonly #fences = new Map<string, number>();
  readonly #said = new Map<string, string>();
  readonly effects = new Set<string>();
  handlerCalls = 0;

  /** What the caller is told: `done 7`, `no`, `compensated`, `stale-fence`, `fault`, `undone`. */
  arrive(turn: number, { run, step, compensation, fence, handler, outcome, undoUnknown }: Arrival): string {
    const key = `${run}:${step}`;
    // An item's fences are its own.
    const scope = step.startsWith("items[3]/") ? `${run}:items[3]` : run;
    if (fence < (this.#fences.get(scope) ?? 0)) return "stale-fence";
    this.#fences.set(scope, fence);
    const said = this.#said.get(key);
    if (!compensation) {
      if (said !== undefined) return said === "undone" ? "compensated" : said;
      this.handlerCalls += 1;
      if (handler === "throws") return "fault";
      const answer = handler === "refuses" ? "no" : `done ${turn}`;
      if (handler === "works") this.effects.add(key);
      this.#said.set(key, answer);
      return answer;
    }
    if (said === "undone") return "undone";
    if (said?.startsWith("done") || outcome === "completed" || undoUnknown) {
      this.handlerCalls += 1;
      if (handler === "throws") return "fault";
      if (handler === "refuses") return "no";
      this.effects.delete(key);
    }
    this.#said.set(key, "undone");
    return "undone";
  }
}

const Libsql = createRequire(import.meta.url)("libsql") as new (file: string) => PreparingDatabase & { close(): void };

async function play(arrivals: readonly Arrival[]): Promise<Model> {
  const db = new Libsql(":memory:");
  const sql = sqliteHandle(db);
  db.exec("create table effects (key text)");
  const barrier = sqliteBarrier(db);
  await barrier.migrate();
  const model = new Model();
  let handlerCalls = 0;
  for (const [turn, arrival] of arrivals.entries()) {
    const { run, step, compensation, fence, handler, outcome, undoUnknown } = arrival;
    const key = `${run}:${step}`;
    const call: BarrierCall = compensation
      ? { runId: run, idempotencyKey: `${key}:compensate`, forwardKey: key, fence, outcome }
      : { runId: run, idempotencyKey: key, fence };
    const act = (): number => {
      handlerCalls += 1;
      sql.run(compensation ? "delete from effects where key = ?" : "insert into effects values (?)", [key]);
      if (handler === "throws") throw new Error("fault");
      if (handler === "refuses") throw new BusinessRefusal("no", "no");
      return turn;
    };
    const told = await barrier.run(call, act, { undoUnknown }).then(
      (answer) => (compensation ? "undone" : `done ${String(answer)}`),
      (error: { code?: string; message: string }) => error.code ?? error.message,
    );
    expect(told, `arrival ${turn}`).toBe(model.arrive(turn, arrival));
    const effects = sql.all<{ key: string }>("select key from effects order by key").map((row) => row.key);
    expect(effects, `effects after arrival ${turn}`).toEqual([...model.effects].sort());
    expect(handlerCalls).toBe(model.handlerCalls);
  }
  db.close();
  return model;
}

it("does what its rules say, in whatever order steps, copies, compensations and owners come", async () => {
  let [arrivals, effects] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(arrival, { minLength: 1, maxLength: 60, size: "max" }), async (sequence) => {
      const model = await play(sequence);
      arrivals += sequence.length;
      effects += model.effects.size;
    }),
    { numRuns: RUNS },
  );
  console.info(`barrier: ${RUNS} orders, ${arrivals} arrivals, ${effects} effects at their ends`);
  // Orders in which nothing is ever done test nothing.
  expect(effects).toBeGreaterThan(RUNS / 10);
});
