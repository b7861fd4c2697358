import type pg from "pg";
import type { Clock } from "../../ports.js";
import type { StoreHint } from "../../store/run-store.js";
import type { Connections, Queryable } from "./connections.js";
import { quoted } from "./statements.js";

/**
 * Hints between instances, by LISTEN and NOTIFY. They save latency and nothing else: what is written by the step is not
 * notified, because a notification takes a lock that all commits of the server share.
 */
export class Listener {
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #onHint: (hint: StoreHint) => void;
  #client: pg.Client | null = null;
  #stopped = false;
  #cancelTimer: () => void = () => {};

  constructor(connections: Connections, clock: Clock, onHint: (hint: StoreHint) => void) {
    this.#connections = connections;
    this.#clock = clock;
    this.#onHint = onHint;
  }

  /** Never throws: without a connection it tries again, and polling finds everything meanwhile. */
  async start(): Promise<void> {
    if (this.#stopped) return;
    const client = this.#connections.dedicated();
    this.#client = client;
    client.on("notification", ({ payload }) => this.#take(payload ?? ""));
    client.on("error", () => {});
    client.on("end", () => this.#lost(client));
    try {
      await client.connect();
      await client.query(`listen ${quoted(channelOf(this.#connections.statements.schema))}`);
      // Something may have happened while nobody listened.
      this.#onHint({ kind: "due" });
    } catch {
      this.#lost(client);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#client?.end().catch(() => {});
  }

  #lost(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = null;
    client.end().catch(() => {});
    if (!this.#stopped) this.#cancelTimer = this.#clock.after(RETRY_MS, () => void this.start());
  }

  #take(payload: string): void {
    const [kind, run] = payload.split(" ");
    if (kind === "due") this.#onHint({ kind });
    if (kind === "inbox" && run !== undefined) this.#onHint({ kind, run });
  }
}

const RETRY_MS = 1_000;
/** A hint that is left out costs a poll; a thousand of them would cost more. */
const MAX_HINTS = 20;

/** Within a transaction: heard when it commits. */
export async function notify(on: Queryable, payloads: readonly string[]): Promise<void> {
  for (const payload of payloads.slice(0, MAX_HINTS))
    await on.query("select pg_notify($1, $2)", [channelOf(on.schema), payload]);
}

function channelOf(schema: string): string {
  return `${schema} runs`;
}
