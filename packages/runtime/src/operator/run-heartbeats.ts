import { unitRunId } from "../choreography/unit-entry.js";
import type { HeartbeatPayload } from "../engine/heartbeat.js";
import { plannedOf } from "../engine/items.js";
import { isEnded } from "../engine/records.js";
import { RuntimeError } from "../errors.js";
import { type Json, toJson } from "../json.js";
import { type Ports, uuidV7 } from "../ports.js";
import type { HeartbeatRequest } from "../saga/manager.js";
import type { RunStore } from "../store/run-store.js";
import type { PlanRegistry } from "../worker/worker.js";

export interface RunHeartbeatsOptions {
  readonly store: RunStore;
  readonly ports: Ports;
  readonly registry: PlanRegistry;
  readonly poke: (run: string) => void;
  /** To the attempt itself, when its run is driven here. Null: it is not. */
  readonly beat: (run: string, stage: string, attempt: number, details: Json | undefined) => boolean | null;
}

/** Attempts whose last message is remembered. */
const MAX_REMEMBERED = 10_000;

/**
 * Signs of life of participants elsewhere. One for a run of this instance reaches its attempt at once; one for another's goes into the
 * run's inbox, and no more often than the attempt's time needs.
 */
export class RunHeartbeats {
  readonly #options: RunHeartbeatsOptions;
  /** When the last message was sent, by run, stage and attempt. */
  readonly #sent = new Map<string, number>();

  constructor(options: RunHeartbeatsOptions) {
    this.#options = options;
  }

  async send(id: string, stage: string, { attempt, details: given }: HeartbeatRequest): Promise<void> {
    const details = given === undefined ? undefined : toJson(given, "the heartbeat's details", 65_536);
    if (!Number.isSafeInteger(attempt) || attempt < 1)
      throw new RuntimeError("input-invalid", `expected the number of an attempt from 1 on, got ${attempt}`);
    const known = this.#options.beat(id, stage, attempt, details);
    if (known !== null) return checkUnderWay(known, id, stage, attempt);
    await this.#sendElsewhere(id, stage, attempt, details);
  }

  async #sendElsewhere(id: string, stage: string, attempt: number, details: Json | undefined): Promise<void> {
    const { store, ports, registry, beat, poke } = this.#options;
    const key = `${id} ${stage} ${attempt}`;
    const run = await store.get(id);
    if (run === undefined)
      throw new RuntimeError("run-not-found", `expected the id of a run, got ${JSON.stringify(id.slice(0, 100))}`);
    const plan = registry.find(run.definition, run.version);
    if (plan?.isObserved) {
      // Of a choreographed run it is the stage's own run.
      const unit = unitRunId(id, stage);
      const known = beat(unit, stage, attempt, details);
      return known === null
        ? this.#sendElsewhere(unit, stage, attempt, details)
        : checkUnderWay(known, id, stage, attempt);
    }
    checkUnderWay(!isEnded(run.status) && run.owner !== null, id, stage, attempt);
    const now = ports.clock.monotonic();
    const planned = plan && plannedOf(plan, stage)?.definition;
    const silenceMs = planned && "heartbeatMs" in planned ? (planned.heartbeatMs ?? 0) : 0;
    if (now - (this.#sent.get(key) ?? Number.NEGATIVE_INFINITY) < silenceMs / 4) return;
    const payload = { stage, attempt, ...(details !== undefined && { details }) } satisfies HeartbeatPayload;
    const [result] = await store.signal([
      { run: id, id: `heartbeat:${uuidV7(ports)}`, kind: "heartbeat", name: stage, payload, actor: "participant" },
    ]);
    checkUnderWay(result !== "ended" && result !== "not-found", id, stage, attempt);
    if (result !== "accepted" && result !== "duplicate")
      throw new RuntimeError("inbox-full", `expected run ${id} to take a heartbeat, its inbox did not: ${result}`);
    this.#remember(key, now);
    poke(id);
  }

  #remember(key: string, at: number): void {
    this.#sent.delete(key);
    this.#sent.set(key, at);
    const [oldest] = this.#sent.keys();
    if (this.#sent.size > MAX_REMEMBERED && oldest !== undefined) this.#sent.delete(oldest);
  }
}

function checkUnderWay(isUnderWay: boolean, run: string, stage: string, attempt: number): void {
  if (isUnderWay) return;
  const message = `expected attempt ${attempt} of stage ${JSON.stringify(stage.slice(0, 100))} of run ${run} to be under way, it is not; stop working on it`;
  throw new RuntimeError("attempt-over", message, { run, stage, attempt });
}
