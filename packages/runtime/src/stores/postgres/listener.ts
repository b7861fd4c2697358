import type pg from "pg";
import type { Clock } from "../../ports.js";
import { SHARDS } from "../../store/event-store.js";
import type { StoreHint } from "../../store/run-store.js";
import type { Connections, Queryable } from "./connections.js";
import { EchoedHints } from "./echoed-hints.js";
import { quoted } from "./statements.js";

/** Who hears. Left out: nobody listens for that. */
export interface Hearers {
  readonly onHint?: ((hint: StoreHint) => void) | undefined;
  readonly onPut?: ((shards: readonly number[]) => void) | undefined;
}

/**
 * Hints between instances, by LISTEN and NOTIFY. They save latency and nothing else: what is written by the step is not
 * notified, because a notification takes a lock that all commits of the server share.
 */
export class Listener {
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #hearers: Hearers;
  readonly #puts: EchoedHints;
  #client: pg.Client | null = null;
  #stopped = false;
  #cancelTimer: () => void = () => {};

  constructor(connections: Connections, clock: Clock, hearers: Hearers) {
    this.#connections = connections;
    this.#clock = clock;
    this.#hearers = hearers;
    this.#puts = new EchoedHints(clock, ECHOES_MS, (shards) => hearers.onPut?.(shards));
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
      this.#hearers.onHint?.({ kind: "due" });
      this.#puts.hear(ALL_SHARDS);
    } catch {
      this.#lost(client);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    this.#puts.stop();
    await this.#client?.end().catch(() => {});
  }

  #lost(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = null;
    client.end().catch(() => {});
    if (!this.#stopped) this.#cancelTimer = this.#clock.after(RETRY_MS, () => void this.start());
  }

  #take(payload: string): void {
    const [kind, what] = payload.split(" ");
    if (kind === "due") this.#hearers.onHint?.({ kind });
    if (kind === "inbox" && what !== undefined) this.#hearers.onHint?.({ kind, run: what });
    if (kind === "put" && what !== undefined) this.#puts.hear(what.split(",").map(Number));
  }
}

const ALL_SHARDS = Array.from({ length: SHARDS }, (_, shard) => shard);

const RETRY_MS = 1_000;
/**
 * Hints of events are told at once and twice more: what is committed is readable only when the transactions that are older have ended, too. As a
 * rule these end within milliseconds; for what takes longer there is polling.
 */
const ECHOES_MS = [0, 20, 200];
/** A hint that is left out costs a poll; a thousand of them would cost more. */
const MAX_HINTS = 20;

/** Within a transaction: heard when it commits. */
export async function notify(on: Queryable, payloads: readonly string[]): Promise<void> {
  for (const payload of payloads.slice(0, MAX_HINTS))
    await on.query("select pg_notify($1, $2)", [channelOf(on.schema), payload]);
}

/** Events were put into these shards. */
export function putHint(shards: readonly number[]): string {
  return `put ${shards.join(",")}`;
}

function channelOf(schema: string): string {
  return `${schema} runs`;
}
