import { setTimeout as sleep } from "node:timers/promises";
import type { EventMessage, RunStore } from "@clean-arch/runtime";
import { createNatsBroker } from "@clean-arch/runtime/nats";
import type { Nats } from "@clean-arch/test-servers";
import type { Planned } from "../faults/planned-faults.js";
import type { History } from "../history.js";
import { Draws } from "../seeded.js";
import type { BrokerFault } from "./broker-faults.js";
import { askJetStream } from "./jetstream-api.js";

export interface BrokerMischiefOptions {
  readonly seed: number;
  readonly nats: Nats;
  readonly history: History;
  readonly store: RunStore;
  /** The service's stream, and the prefix of its subjects. */
  readonly stream: string;
  readonly group: string;
}

/** The shortest that the server takes; after it an id that comes again is stored again. */
const DUPLICATE_WINDOW_MS = 100;
/** Of the outbox. */
const SHARDS = 16;
const PAGE = 500;

type Stored = Awaited<ReturnType<NonNullable<RunStore["events"]>["read"]>>;

/** Carries the broker's faults out, one after the other, and leaves it well in the end. */
export class BrokerMischief {
  readonly counts = new Map<BrokerFault["kind"], number>();
  readonly #options: BrokerMischiefOptions;
  readonly #draws: Draws;
  readonly #stopping = new AbortController();
  #schedule: Promise<void> = Promise.resolve();
  #isKept = false;
  /** Events that were published again. */
  duplicates = 0;

  constructor(options: BrokerMischiefOptions) {
    this.#options = options;
    this.#draws = new Draws(options.seed, "broker mischief");
  }

  start(schedule: readonly Planned<BrokerFault>[]): void {
    this.#schedule = this.#run(schedule);
  }

  async heal(): Promise<void> {
    this.#stopping.abort();
    await this.#schedule;
  }

  async #run(schedule: readonly Planned<BrokerFault>[]): Promise<void> {
    const startedAt = performance.now();
    for (const { at, fault } of schedule) {
      await this.#pause(at - (performance.now() - startedAt));
      if (this.#stopping.signal.aborted) return;
      const begunAt = Date.now();
      if (!(await this.#do(fault))) continue;
      this.counts.set(fault.kind, (this.counts.get(fault.kind) ?? 0) + 1);
      const { history } = this.#options;
      history.add({ kind: "fault", fault: fault.kind, at: begunAt, until: Date.now(), instance: "NATS" });
    }
  }

  /** False: not now. */
  async #do(fault: BrokerFault): Promise<boolean> {
    const { nats, stream, group } = this.#options;
    switch (fault.kind) {
      case "nats-kill":
        await nats.kill();
        if (fault.keeps) await nats.keepStreams();
        this.#isKept ||= fault.keeps;
        return this.#startAfter(fault.downMs);
      case "nats-rewind":
        if (!this.#isKept) return false;
        await nats.stop();
        await nats.putBackStreams(fault.messagesOnly);
        return this.#startAfter(fault.downMs);
      case "nats-pause":
        nats.pause();
        await this.#pause(fault.forMs);
        nats.resume();
        return true;
      case "group-deleted":
        return isDone(await askJetStream(nats.port, `CONSUMER.DELETE.${stream}.${group}`));
      case "stream-deleted":
        return isDone(await askJetStream(nats.port, `STREAM.DELETE.${stream}`));
      case "duplicates":
        return this.#publishAgain(fault.count);
    }
  }

  async #startAfter(downMs: number): Promise<true> {
    await this.#pause(downMs);
    await this.#options.nats.start();
    return true;
  }

  /** By a publisher that makes the stream forget ids soon, which the next instance that boots sets right again. */
  async #publishAgain(count: number): Promise<boolean> {
    const { nats, stream } = this.#options;
    const broker = createNatsBroker({
      ...{ servers: nats.url, stream, prefix: stream, duplicateWindowMs: DUPLICATE_WINDOW_MS },
      ...{ name: "chaos", callTimeoutMs: 2_000 },
    });
    try {
      const events = await this.#anyEvents(count);
      await broker.open();
      await sleep(2 * DUPLICATE_WINDOW_MS);
      // One call each: in one call those of a key would keep an order.
      for (const event of events) await broker.publish([event]);
      this.duplicates += events.length;
      return events.length > 0;
    } catch {
      // The database or NATS is being mistreated as well.
      return false;
    } finally {
      await broker.close();
    }
  }

  async #anyEvents(count: number): Promise<EventMessage[]> {
    const shard = Math.floor(this.#draws.between(0, SHARDS));
    const events: EventMessage[] = [];
    let after: string | null = null;
    do {
      const page: Stored = (await this.#options.store.events?.read(shard, after, PAGE)) ?? [];
      events.push(...page.map(({ event }) => event));
      after = page.at(-1)?.position ?? null;
    } while (after !== null);
    if (events.length === 0) return [];
    // Some of any time, and some that others are just reacting to; in any order, some more than once.
    const late = events.slice(-count);
    return Array.from({ length: count }, () => this.#draws.pick(this.#draws.chance(0.5) ? events : late));
  }

  async #pause(ms: number): Promise<void> {
    await sleep(Math.max(0, ms), undefined, { signal: this.#stopping.signal }).catch(() => {});
  }
}

function isDone(answer: Record<string, unknown> | null): boolean {
  return answer?.success === true;
}
