import { fold } from "../engine/fold.js";
import { forbids, isVerb, VERBS } from "../engine/verbs.js";
import { RuntimeError } from "../errors.js";
import { toJson } from "../json.js";
import { type Ports, uuidV7 } from "../ports.js";
import type { VerbRequest } from "../saga/manager.js";
import type { RunStore } from "../store/run-store.js";
import type { PlanRegistry } from "../worker/worker.js";
import { answerTo, checkReason, forbidden, sendWish } from "./run-wish.js";

/**
 * What an operator may ask of a run. The wish goes into the run's inbox and is carried out, and journaled with who and
 * why, by the run's owner. It is checked here against the state as it stands, and again by the owner. The same request
 * again is answered as the first time.
 */
export class RunActions {
  readonly #store: RunStore;
  readonly #ports: Ports;
  readonly #registry: PlanRegistry;
  readonly #poke: (run: string) => void;

  constructor(options: {
    readonly store: RunStore;
    readonly ports: Ports;
    readonly registry: PlanRegistry;
    readonly poke: (run: string) => void;
  }) {
    this.#store = options.store;
    this.#ports = options.ports;
    this.#registry = options.registry;
    this.#poke = options.poke;
  }

  async act(id: string, verb: string, { reason, actor, idempotencyKey, step }: VerbRequest): Promise<void> {
    if (!isVerb(verb))
      throw new RuntimeError("input-invalid", `expected one of ${VERBS.join(", ")}, got ${JSON.stringify(verb)}`);
    checkReason(reason);
    if (step !== undefined && verb !== "retry")
      throw new RuntimeError("input-invalid", `expected a step with retry alone, got one with ${verb}`);
    const payload = toJson({ reason, ...(step !== undefined && { step }) }, "reason");
    const request = idempotencyKey === undefined ? uuidV7(this.#ports) : `${verb}:${idempotencyKey}`;
    if (await this.#isDone(id, { name: verb, request, ...(step !== undefined && { step }) })) return;
    await sendWish(
      { store: this.#store, poke: this.#poke },
      { run: id, id: request, name: verb, reason, actor, payload },
    );
  }

  /** True when the very request was carried out before. Throws when the state forbids it, or forbade it then. */
  async #isDone(id: string, verb: { readonly name: string; readonly request: string; readonly step?: string }) {
    const run = await this.#store.get(id);
    if (run === undefined) throw notFound(id);
    const rows = await this.#store.journal(id, 0, Number.MAX_SAFE_INTEGER);
    const answer = answerTo(verb.request, rows);
    if (answer?.kind === "verb-refused") throw forbidden(id, verb.name, answer.reason);
    if (answer !== undefined) return true;
    const plan = this.#registry.find(run.definition, run.version) ?? null;
    const refusal = forbids(verb, plan, fold(plan, run.createdAt, rows));
    if (refusal !== null) throw forbidden(id, verb.name, refusal);
    return false;
  }
}

function notFound(id: string): RuntimeError {
  return new RuntimeError("run-not-found", `expected the id of a run, got ${JSON.stringify(id.slice(0, 100))}`);
}
