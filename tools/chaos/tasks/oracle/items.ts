import { groupedBy } from "../../grouped-by.js";
import { effectOf, lastStatus, type Violation } from "../../oracle/seen.js";
import type { ItemCall, SeenBatch } from "./seen-batches.js";

/** What the ledger must show of each item: the effects of all its stages, each once, or a place among those that failed. */
export function checkItems(batches: readonly SeenBatch[]): Violation[] {
  return batches.flatMap((batch) => {
    const byItem = groupedBy(batch.calls, ({ item }) => item);
    return [...strangers(batch, byItem), ...onceEach(batch), ...order(batch, byItem), ...end(batch, byItem)];
  });
}

type ByItem = ReadonlyMap<string, readonly ItemCall[]>;

const broken = ({ run }: SeenBatch, rule: string, message: string): Violation => ({ rule, run: run.id, message });

function strangers(batch: SeenBatch, byItem: ByItem): Violation[] {
  const known = new Set(batch.items);
  const unknown = [...byItem.keys()].filter((item) => !known.has(item));
  return unknown.map((item) => broken(batch, "strange item", `"${item}" is none of its items, and was worked`));
}

/** One key and one effect for each stage of an item, forward and back. */
function onceEach(batch: SeenBatch): Violation[] {
  const groups = groupedBy(batch.calls, ({ event }) => `${event.direction} "${event.step}"`);
  return [...groups].flatMap(([name, calls]) => {
    const keys = new Set(calls.map(({ event }) => event.key));
    const effects = calls.filter(({ effect }) => effect !== null).length;
    return [
      ...(keys.size > 1 ? [broken(batch, "item keys", `${name} was called under ${[...keys].join(" and ")}`)] : []),
      ...(effects > 1 ? [broken(batch, "item effects", `${name} had its effect ${effects} times`)] : []),
    ];
  });
}

const of = (calls: readonly ItemCall[], stage: string, direction: "forward" | "compensate"): ItemCall[] =>
  calls.filter((call) => call.stage === stage && call.event.direction === direction);

/** A stage comes after those before it, and not once the item is being undone. */
function order(batch: SeenBatch, byItem: ByItem): Violation[] {
  const { stages } = batch.shape;
  if (stages.length < 2) return [];
  return [...byItem.values()].flatMap((calls) =>
    calls.flatMap((call): Violation[] => {
      if (call.event.direction !== "forward" || call.answer?.event.why === "stale-fence") return [];
      const before = stages.slice(
        0,
        stages.findIndex(({ name }) => name === call.stage),
      );
      const early = before.find(({ name }) => {
        const effect = effectOf(of(calls, name, "forward"));
        return effect === null || effect.order > call.order;
      });
      const undo = calls.find(({ event, order: at }) => event.direction === "compensate" && at < call.order);
      const { step, fence } = call.event;
      if (early !== undefined) return [broken(batch, "item order", `"${step}" was called before "${early.name}"`)];
      return undo === undefined || undo.event.fence > fence
        ? []
        : [broken(batch, "item order", `"${step}" was called after "${undo.event.step}" had been undone`)];
    }),
  );
}

function end(batch: SeenBatch, byItem: ByItem): Violation[] {
  if (lastStatus(batch.run) !== "completed") return [];
  const { failed, items, shape } = batch;
  if (failed === null) return [broken(batch, "failed items", "completed, and nobody could list what failed")];
  const known = new Set(items);
  return [
    ...counters(batch, failed.size),
    ...[...failed]
      .filter((item) => !known.has(item))
      .map((item) => broken(batch, "failed items", `"${item}" is listed and is none of its items`)),
    ...items.flatMap((item): Violation[] => {
      const calls = byItem.get(item) ?? [];
      if (failed.has(item)) return leftBehind(batch, item, calls);
      const missing = shape.stages.find(({ name }) => effectOf(of(calls, name, "forward")) === null);
      if (missing !== undefined)
        return [
          broken(batch, "lost item", `completed, and "${missing.name}" of "${item}" was neither done nor listed`),
        ];
      const undone = effectOf(calls.filter(({ event }) => event.direction === "compensate"));
      return undone === null ? [] : [broken(batch, "lost item", `"${item}" counts as done, and was undone`)];
    }),
  ];
}

/** What an item had done before a later stage failed is undone. */
function leftBehind(batch: SeenBatch, item: string, calls: readonly ItemCall[]): Violation[] {
  const { stages } = batch.shape;
  const last = stages.findLastIndex(({ name }) => of(calls, name, "forward").length > 0);
  return stages
    .slice(0, Math.max(0, last))
    .filter(({ name, compensable }) => {
      const isDone = effectOf(of(calls, name, "forward")) !== null;
      return compensable && isDone && effectOf(of(calls, name, "compensate")) === null;
    })
    .map(({ name }) => broken(batch, "left behind", `"${item}" failed, and its "${name}" was not undone`));
}

/** `items` = `done` + `failed` + `skipped`, and each is what it says. */
function counters(batch: SeenBatch, failed: number): Violation[] {
  const output = batch.run.told.findLast(({ event }) => event.status === "completed")?.event.output;
  const expected = { items: batch.items.length, done: batch.items.length - failed, failed, skipped: 0 };
  const told = output as Partial<typeof expected> | undefined;
  const wrong = (Object.keys(expected) as (keyof typeof expected)[]).filter((key) => told?.[key] !== expected[key]);
  const message = `completed with ${JSON.stringify(output ?? null)}, expected ${JSON.stringify(expected)}`;
  return wrong.length === 0 ? [] : [broken(batch, "counters", message)];
}
