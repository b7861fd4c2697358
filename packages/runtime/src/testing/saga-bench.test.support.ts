import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PartialConfig, resolveConfig } from "../config.js";
import type { RunView } from "../operator/views.js";
import type { StepCall } from "../saga/definition.js";
import type { SagaManager } from "../saga/manager.js";
import type { Definition } from "../saga/registry.js";
import { createSagaManager, type SagaManagerOptions } from "../saga/saga-manager.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import { passTimeUntil } from "../simulation/virtual-time.js";
import type { RunStore } from "../store/run-store.js";
import { createMemoryRunStore, createMemoryWorld } from "../stores/memory/index.js";
import { createSqliteRunStore } from "../stores/sqlite/index.js";
import { createManualClock, type ManualClock } from "./manual-clock.js";

export type StoreKind = "memory" | "sqlite";
export const STORE_KINDS: readonly StoreKind[] = ["memory", "sqlite"];

/** One store and a clock that the test moves; managers opened on it one after the other are processes that follow each other. */
export class SagaBench {
  readonly clock: ManualClock = createManualClock();
  /** What the memory store holds. */
  readonly world = createMemoryWorld();
  /** Of the SQLite store. */
  readonly file: string;
  readonly #store: () => RunStore;
  readonly #folder: string;
  readonly #managers: SagaManager[] = [];

  static async create(kind: StoreKind): Promise<SagaBench> {
    return new SagaBench(kind, await mkdtemp(join(tmpdir(), "saga-bench-")));
  }

  constructor(kind: StoreKind, folder: string) {
    this.#folder = folder;
    const { clock, world } = this;
    const file = join(folder, "runs.db");
    this.file = file;
    this.#store = () =>
      kind === "memory" ? createMemoryRunStore({ clock, world }) : createSqliteRunStore({ file, clock });
  }

  /** On the bench's data. */
  store(): RunStore {
    return this.#store();
  }

  async open(
    definitions: Definition[],
    config: PartialConfig = {},
    more: Partial<SagaManagerOptions> = {},
  ): Promise<SagaManager> {
    const ports = { clock: this.clock, random: new SeededRandom(7 + this.#managers.length) };
    const store = this.#store();
    const manager = createSagaManager({
      store,
      definitions,
      participants: {},
      config: resolveConfig(config),
      ports,
      ...more,
    });
    this.#managers.push(manager);
    await manager.open();
    return manager;
  }

  /** Lets virtual time pass until the promise settles. */
  until<Value>(promise: Promise<Value>): Promise<Value> {
    return passTimeUntil(this.clock, promise);
  }

  /** Resolves after `ms` of virtual time, for use inside steps. */
  later(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }

  pass(ms: number): Promise<void> {
    return this.until(this.later(ms));
  }

  async toEnd(manager: SagaManager, name: string, input = {}): Promise<RunView> {
    const { id } = await this.until(manager.start(name, input));
    return this.until(manager.wait(id, 3_600_000));
  }

  async toStatus(manager: SagaManager, id: string, status: string): Promise<void> {
    while ((await manager.get(id)).status !== status) await this.pass(50);
  }

  async close(): Promise<void> {
    for (const manager of this.#managers) await this.until(manager.close(0));
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** What a handler gets, whatever the types of its saga. */
export type AnyCall = Omit<StepCall, "input" | "outputs">;

/** A step that keeps what it was called with and does what its script says, call by call; then it succeeds. */
export function scripted(name: string, log: string[], script: readonly unknown[] = []) {
  const calls: AnyCall[] = [];
  const run = async (call: AnyCall): Promise<unknown> => {
    calls.push(call);
    log.push(name);
    const next = script[calls.length - 1];
    if (next instanceof Error) throw next;
    return next ?? { by: name };
  };
  return { run, calls };
}

/** A handler that never answers until its signal cuts it short. */
export function hangs({ signal }: { readonly signal: AbortSignal }): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("cut"))));
}
