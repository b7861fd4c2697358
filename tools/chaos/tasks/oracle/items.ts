import { groupedBy } from "../../grouped-by.js";
import { effectOf, lastStatus, type Violation } from "../../oracle/seen.js";
import type { ItemCall, SeenBatch } from "./seen-batches.js";

/** What the ledger must show of each item: the effects of all its stages, each once, or a place among those that failed. */
export function checkItems(batches: readonly SeenBatch[]): Violation[] {
  return batches.flatMap((batch) => {
    const byItem = groupedBy(batch.calls, ({ item }) => item);
    return [
      ...[...strangers(batch, byItem), ...onceEach(batch), ...order(batch, byItem)],
      ...[...end(batch, byItem), ...parked(batch)],
    ];
  });
}

type ByItem = ReadonlyMap<string, readonly ItemCall[]>;

const broken = ({ run }: SeenBatch, rule: string, message: string): Violation => ({ rule, run: run.id, message });

function strangers(batch: SeenBatch, byItem: ByItem): Violation[] {
  const known = new Set(batch.items);
  const unknown = [...byItem.keys()].filter((item) => !known.has(item));
  return unknown.map((item) => broken(batch, "strange item", `"${item}" is none of its items, and was worked`));
}

/** One key and one effect for each stage of an item, forward and back. What was undone and is tried again has another key. */
function onceEach(batch: SeenBatch): Violation[] {
  const groups = groupedBy(batch.calls, ({ event }) => `${event.direction} "${event.step}"`);
  return [...groups].flatMap(([name, calls]) => {
    const keys = new Set(calls.map(({ event }) => event.key));
    const effects = calls.filter(({ effect }) => effect !== null).length;
    const rounds = batch.isChunkedAsRead ? 1 : Number.POSITIVE_INFINITY;
    return [
      ...(keys.size > rounds
        ? [broken(batch, "item keys", `${name} was called under ${[...keys].join(" and ")}`)]
        : []),
      ...(effects > keys.size ? [broken(batch, "item effects", `${name} had its effect ${effects} times`)] : []),
    ];
  });
}

const of = (calls: readonly ItemCall[], stage: string, direction: "forward" | "compensate"): ItemCall[] =>
  calls.filter((call) => call.stage === stage && call.event.direction === direction);

/** How often it was done and not undone. */
function standing(calls: readonly ItemCall[], stage: string): number {
  const effects = (direction: "forward" | "compensate"): number =>
    of(calls, stage, direction).filter(({ effect }) => effect !== null).length;
  return effects("forward") - effects("compensate");
}

/** A stage comes after those before it. */
function order(batch: SeenBatch, byItem: ByItem): Violation[] {
  const { stages } = batch.shape;
  return [...byItem.values()].flatMap((calls) =>
    calls.flatMap((call): Violation[] => {
      if (call.event.direction !== "forward") return [];
      const place = stages.findIndex(({ name }) => name === call.stage);
      const early = stages.slice(0, place).find(({ name }) => {
        const effect = effectOf(of(calls, name, "forward"));
        return effect === null || effect.order > call.order;
      });
      if (early === undefined) return [];
      return [broken(batch, "item order", `"${call.event.step}" was called before "${early.name}" was done`)];
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
    ...[...failed.keys()]
      .filter((item) => !known.has(item))
      .map((item) => broken(batch, "failed items", `"${item}" is listed and is none of its items`)),
    ...items.flatMap((item): Violation[] => {
      const calls = byItem.get(item) ?? [];
      if (failed.has(item)) return leftBehind(batch, item, calls);
      const lost = shape.stages.find(({ name }) => standing(calls, name) !== 1);
      if (lost === undefined) return [];
      const times = standing(calls, lost.name);
      return [
        broken(
          batch,
          "lost item",
          `completed, and "${lost.name}" of "${item}", which is not listed, stands ${times} times`,
        ),
      ];
    }),
  ];
}

/** A batch is parked because too much of it failed, and for nothing else that can happen here. */
function parked(batch: SeenBatch): Violation[] {
  const { run, failed, shape } = batch;
  if (lastStatus(run) !== "stuck") return [];
  const known = Math.max(failed?.size ?? 0, ...run.told.map(({ event }) => event.progress?.failed ?? 0));
  if (known > shape.maxFailures) return [];
  return [broken(batch, "parked", `stuck with ${known} items that failed, of which ${shape.maxFailures} may`)];
}

/** What an item had done before a later stage failed is undone. */
function leftBehind(batch: SeenBatch, item: string, calls: readonly ItemCall[]): Violation[] {
  const { stages } = batch.shape;
  const last = stages.findLastIndex(({ name }) => of(calls, name, "forward").length > 0);
  return stages
    .slice(0, Math.max(0, last))
    .filter(({ name, compensable }) => {
      const isGivenUp =
        batch.failed?.get(item)?.code === "compensation-failed" && of(calls, name, "compensate").length > 0;
      return compensable && !isGivenUp && standing(calls, name) > 0;
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
