import { fold } from "../engine/fold.js";
import { isEnded } from "../engine/records.js";
import { refusesSignal } from "../engine/signals.js";
import { RuntimeError } from "../errors.js";
import { type Json, toJson } from "../json.js";
import { type Ports, uuidV7 } from "../ports.js";
import type { SignalRequest } from "../saga/manager.js";
import { MAX_UNREAD, type RunStore } from "../store/run-store.js";

const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;

/**
 * Signals from outside to a run. One goes into the run's inbox, whatever the run does at the time; its owner journals it,
 * and the run's steps take it in the order of arrival. What the run keeps is bounded: asked here, so that the sender
 * learns of it, and again by the owner, who journals the refusal of what slipped through together.
 */
export class RunSignals {
  readonly #store: RunStore;
  readonly #ports: Ports;
  readonly #poke: (run: string) => void;

  constructor(options: {
    readonly store: RunStore;
    readonly ports: Ports;
    readonly poke: (run: string) => void;
  }) {
    this.#store = options.store;
    this.#ports = options.ports;
    this.#poke = options.poke;
  }

  async send(run: string, name: string, value: Json, { actor, idempotencyKey }: SignalRequest): Promise<void> {
    if (!NAME.test(name))
      throw new RuntimeError(
        "input-invalid",
        `expected a signal's name of letters, digits, "_", "-" or ".", starting with a letter, got ${JSON.stringify(name.slice(0, 120))}`,
      );
    const payload = toJson(value, `the payload of signal "${name}"`);
    await this.#checkRoom(run, name, payload);
    const id = `signal:${name}:${idempotencyKey ?? uuidV7(this.#ports)}`;
    const [result] = await this.#store.signal([{ run, id, kind: "signal", name, payload, actor }]);
    if (result === "ended") throw ended(run, name);
    if (result === "not-found") throw notFound(run);
    if (result === "full") throw full(run, name, `expected at most ${MAX_UNREAD} messages that its owner has not read`);
    if (result === "rejected")
      throw new RuntimeError(
        "input-invalid",
        "expected an actor and an idempotency key that the store takes, got an empty one or one with a NUL character",
      );
    this.#poke(run);
  }

  async #checkRoom(id: string, name: string, payload: Json): Promise<void> {
    const run = await this.#store.get(id);
    if (run === undefined) throw notFound(id);
    // The store knows whether it took this very signal before the run ended.
    if (isEnded(run.status)) return;
    // Without its plan: how many signals are kept is in the journal alone.
    const state = fold(null, run.createdAt, await this.#store.journal(id, 0, Number.MAX_SAFE_INTEGER));
    const refusal = refusesSignal(state, payload);
    if (refusal !== null) throw full(id, name, refusal);
  }
}

function ended(run: string, name: string): RuntimeError {
  return new RuntimeError("run-ended", `expected a run that goes on to signal "${name}", got one that ended`, { run });
}

function full(run: string, name: string, why: string): RuntimeError {
  return new RuntimeError("too-many-signals", `the run cannot take signal "${name}": ${why}`, { run });
}

function notFound(id: string): RuntimeError {
  return new RuntimeError("run-not-found", `expected the id of a run, got ${JSON.stringify(id.slice(0, 100))}`);
}
