/**
 * What holds for a batch whatever its stages do: over a small list of items, in memory, with participants that do as they are told. Conditions
 * and inputs of stages are left out: each stage is done for each item.
 */
import {
  type BatchStep,
  createSagaManager,
  type Participant,
  type RunStore,
  resolveConfig,
  type SagaDefinition,
  type SagaManager,
  type StepOutcome,
} from "@clean-arch/runtime";
import { createMemoryRunStore } from "@clean-arch/runtime/memory";
import { afterEach, describe, expect, test } from "vitest";

const KEYS = ["k0", "k1", "k2", "k3", "k4"];
const UNLUCKY = "k2";
const DONE: StepOutcome = { kind: "completed", output: { done: true } };
const QUICK = { initialDelayMs: 1, maxDelayMs: 1, maxAttempts: 3, nonRetryable: [] };

interface Act {
  readonly kind: "forward" | "compensate";
  /** `items[<key>]/<stage>` */
  readonly path: string;
  readonly key: string;
}

/** What a participant does with a call; undefined: what it is asked for. */
type Answer = (act: Act, before: readonly Act[]) => StepOutcome | Promise<StepOutcome> | undefined;

/** Registers the tests of one batch whose items are worked by stages. */
export function batchChecks(definition: SagaDefinition): void {
  const step = definition.waves[0]?.steps[0] as BatchStep;
  const stages = step.work.kind === "stages" ? step.work.stages : [];
  const pathOf = (key: string, stage: string): string => `items[${key}]/${stage}`;
  const stores: { close(): Promise<unknown> }[] = [];

  afterEach(async () => {
    for (const opened of stores.splice(0).reverse()) await opened.close();
  });

  function participantsOf(acts: Act[], answer: Answer): Record<string, Participant> {
    const perform = async (act: Act): Promise<StepOutcome> => {
      const before = [...acts];
      acts.push(act);
      return (await answer(act, before)) ?? DONE;
    };
    const one: Participant = {
      description: "a double",
      perform: (_, { stage: path, idempotencyKey: key }) => perform({ kind: "forward", path, key }),
      compensate: (_, { stage: path, idempotencyKey: key }) => perform({ kind: "compensate", path, key }),
    };
    const services = stages.flatMap(({ call, compensation }) =>
      [call.service, compensation?.call.service ?? []].flat(),
    );
    return Object.fromEntries(services.map((name) => [name, one]));
  }

  async function open(store: RunStore, acts: Act[], answer: Answer = () => undefined): Promise<SagaManager> {
    const quick: BatchStep = {
      ...step,
      ...{ chunkSize: 2, concurrency: 2, maxFailures: 1, maxFailureRatio: null, rateLimit: null, retry: QUICK },
      source: () => ({ items: KEYS.map((id) => ({ id })), key: "id" }),
      work: {
        kind: "stages",
        stages: stages.map(({ when: _when, input: _input, ...stage }) => ({
          ...stage,
          retry: QUICK,
          compensation: stage.compensation && { ...stage.compensation, retry: QUICK },
        })),
      },
    };
    const { schedule: _schedule, queue: _queue, ...rest } = definition;
    const manager = createSagaManager({
      store,
      definitions: [{ ...rest, waves: [{ steps: [quick] }] }],
      participants: participantsOf(acts, answer),
      config: resolveConfig({ recovery: { ...QUICK, jitter: "none" } }),
      pollMs: 20,
    });
    stores.push(manager);
    await manager.open();
    return manager;
  }

  async function run(answer?: Answer) {
    const acts: Act[] = [];
    const manager = await open(createMemoryRunStore({}), acts, answer);
    const { id } = await manager.start(definition.name, {});
    const ended = await manager.wait(id, 15_000);
    return { acts, manager, ended };
  }

  describe(`the batch ${definition.name}`, () => {
    test("does every stage for every item, once and in order", async () => {
      const { acts, ended } = await run();
      expect(ended).toMatchObject({ status: "completed", output: { items: 5, done: 5, failed: 0, skipped: 0 } });
      for (const key of KEYS) {
        const own = acts.filter(({ path }) => path.startsWith(`items[${key}]/`));
        expect(own.map(({ path }) => path)).toEqual(stages.map(({ name }) => pathOf(key, name)));
        expect(own.map((act) => act.key)).toEqual(stages.map(({ name }) => `${ended.id}:${pathOf(key, name)}`));
      }
    });

    test.each(stages.map(({ name }) => name))(
      "does %s again under the same key when its answer is lost",
      async (name) => {
        const lost: StepOutcome = {
          ...{ kind: "failed", error: { code: "timeout", message: "the answer was lost" } },
          ...{ mayHaveRun: true, retry: true },
        };
        const { acts, ended } = await run((act, before) =>
          act.path.endsWith(`/${name}`) && !before.some(({ key }) => key === act.key) ? lost : undefined,
        );
        expect(ended).toMatchObject({ status: "completed", output: { done: 5, failed: 0 } });
        const keys = acts.filter(({ path }) => path.endsWith(`/${name}`)).map(({ key }) => key);
        expect(keys).toHaveLength(10);
        expect(new Set(keys).size).toBe(5);
      },
    );

    test.each(stages.map(({ name }) => name))(
      "lists the item that %s refuses, undoes it, and does the others",
      async (name) => {
        const path = pathOf(UNLUCKY, name);
        const refused: StepOutcome = { kind: "refused", error: { code: "http-422", message: "not this one" } };
        const { acts, manager, ended } = await run((act) =>
          act.kind === "forward" && act.path === path ? refused : undefined,
        );
        expect(ended).toMatchObject({ status: "completed", output: { items: 5, done: 4, failed: 1 } });
        const { items } = await manager.failedItems(ended.id, {});
        expect(items).toMatchObject([{ key: UNLUCKY, item: { id: UNLUCKY }, error: { message: "not this one" } }]);
        const place = stages.findIndex((stage) => stage.name === name);
        const own = acts.filter((act) => act.path.startsWith(`items[${UNLUCKY}]/`));
        const forward = own.filter(({ kind }) => kind === "forward").map((act) => act.path);
        expect(forward).toEqual(stages.slice(0, place + 1).map((stage) => pathOf(UNLUCKY, stage.name)));
        const undone = own.filter(({ kind }) => kind === "compensate").map((act) => act.path);
        const reversible = stages.slice(0, place).filter(({ compensation }) => compensation !== null);
        expect(undone).toEqual(reversible.map((stage) => pathOf(UNLUCKY, stage.name)).reverse());
      },
    );

    test("goes on elsewhere when its instance goes in the middle, and repeats under the same keys only", async () => {
      const store = createMemoryRunStore({});
      const acts: Act[] = [];
      let reached = (): void => {};
      const middle = new Promise<void>((resolve) => {
        reached = resolve;
      });
      // It answers no more: as one whose process is killed.
      const first = await open(store, acts, (act) => {
        if (!act.path.startsWith(`items[${UNLUCKY}]/`)) return undefined;
        reached();
        return new Promise(() => {});
      });
      const { id } = await first.start(definition.name, {});
      await middle;
      await first.close(0);
      const second = await open(store, acts);
      const ended = await second.wait(id, 15_000);
      expect(ended).toMatchObject({ status: "completed", output: { items: 5, done: 5, failed: 0 } });
      expect(new Set(acts.map(({ key }) => key)).size).toBe(5 * stages.length);
      // A chunk of two items in each of two slots, at most.
      expect(acts.length).toBeLessThanOrEqual(5 * stages.length + 4 * stages.length);
    });
  });
}
