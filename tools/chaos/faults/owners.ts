import { setTimeout as sleep } from "node:timers/promises";
import type { RunStore } from "@clean-arch/runtime";
import type { Orphaned } from "../oracle/journal.js";

const OPEN = ["running", "waiting", "compensating"] as const;
const AGAIN_MS = 50;
const GIVE_UP_MS = 8_000;

/**
 * Writes down what a process owned at the moment it was killed or stopped, so that it can be told how long others took to
 * take it over. The store is asked over a connection that nobody disturbs but the restarts of the server.
 */
export class Owners {
  readonly orphaned: Orphaned[] = [];
  readonly #store: RunStore;
  readonly #asking = new Set<Promise<void>>();

  constructor(store: RunStore) {
    this.#store = store;
  }

  lost(instance: string, pid: number, fault: Orphaned["fault"]): void {
    const asked = this.#ask(instance, pid, fault, Date.now());
    this.#asking.add(asked);
    void asked.finally(() => this.#asking.delete(asked));
  }

  async settle(): Promise<void> {
    await Promise.all(this.#asking);
  }

  async #ask(instance: string, pid: number, fault: Orphaned["fault"], at: number): Promise<void> {
    while (Date.now() < at + GIVE_UP_MS) {
      try {
        const workers = await this.#store.workers();
        const ids = new Set(workers.filter(({ label }) => label.includes(`process ${pid},`)).map(({ id }) => id));
        const runs: { run: string; fence: number }[] = [];
        let cursor: string | null | undefined;
        while (cursor !== null) {
          const page = await this.#store.list({ status: OPEN, limit: 200, ...(cursor !== undefined && { cursor }) });
          for (const { id, owner, fence } of page.items)
            if (owner !== null && ids.has(owner)) runs.push({ run: id, fence });
          cursor = page.nextCursor;
        }
        this.orphaned.push({ instance, fault, at, runs });
        return;
      } catch {
        // The server is down; nobody can take anything over meanwhile.
        await sleep(AGAIN_MS);
      }
    }
  }
}
