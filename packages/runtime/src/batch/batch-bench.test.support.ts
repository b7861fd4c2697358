import type { RunView } from "../operator/views.js";
import type { SagaDefinition } from "../saga/definition.js";
import type { SagaManager } from "../saga/manager.js";
import type { SagaManagerOptions } from "../saga/saga-manager-options.js";
import { createMemoryRunStore } from "../stores/memory/index.js";
import { SagaBench } from "../testing/saga-bench.test.support.js";

export const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A promise that the test settles. */
export function gate(): { readonly passed: Promise<void>; open(): void } {
  let open: () => void = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/** Batches over one memory store that several processes share, in time that the test moves. */
export class BatchBench {
  readonly saga: SagaBench;

  static async create(): Promise<BatchBench> {
    return new BatchBench(await SagaBench.create("memory"));
  }

  constructor(saga: SagaBench) {
    this.saga = saga;
  }

  open(
    definitions: SagaDefinition[],
    more: Partial<SagaManagerOptions> = {},
    config: Parameters<SagaBench["open"]>[1] = {},
  ): Promise<SagaManager> {
    const { clock, world } = this.saga;
    const store = createMemoryRunStore({ clock, world, workers: "many" });
    return this.saga.until(this.saga.open(definitions, config, { store, ...more }));
  }

  async start(manager: SagaManager, name: string, input = {}): Promise<string> {
    return (await this.saga.until(manager.start(name, input))).id;
  }

  /** Once the run has that status. */
  async reached(manager: SagaManager, id: string, status: string): Promise<RunView> {
    for (;;) {
      const run = await this.saga.until(manager.get(id));
      if (run.status === status) return run;
      await this.saga.pass(50);
    }
  }

  act(manager: SagaManager, id: string, verb: Parameters<SagaManager["act"]>[1]): Promise<void> {
    return this.saga.until(manager.act(id, verb, { reason: "the test wants it", actor: "test" }));
  }

  close(): Promise<void> {
    return this.saga.close();
  }
}
