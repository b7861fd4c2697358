import { fold } from "../engine/fold.js";
import { forbids } from "../engine/verbs.js";
import { RuntimeError } from "../errors.js";
import { toJson } from "../json.js";
import { type Ports, uuidV7 } from "../ports.js";
import type { VerbRequest } from "../saga/manager.js";
import type { RunStore } from "../store/run-store.js";
import type { PlanRegistry } from "../worker/worker.js";

const VERBS = ["cancel", "resume", "skip", "abandon"];
/** In the HTTP contract, not in this version. */
const LATER = ["pause", "retry", "compensate"];

/**
 * What an operator may ask of a run. The wish goes into the run's inbox and is carried out, and journaled with who and
 * why, by the run's owner. It is checked here against the state as it stands, and again by the owner.
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

  async act(id: string, verb: string, { reason, actor, idempotencyKey }: VerbRequest): Promise<void> {
    if (LATER.includes(verb))
      throw new RuntimeError("feature-unavailable", `the verb "${verb}" is not available in this version`);
    if (!VERBS.includes(verb))
      throw new RuntimeError("input-invalid", `expected one of ${VERBS.join(", ")}, got ${JSON.stringify(verb)}`);
    if (reason.trim() === "" || reason.length > 500)
      throw new RuntimeError("input-invalid", `expected a reason of 1 to 500 characters, got ${reason.length}`);
    const payload = toJson({ reason }, "reason");
    await this.#check(id, verb);
    const signalId = idempotencyKey === undefined ? uuidV7(this.#ports) : `${verb}:${idempotencyKey}`;
    const [result] = await this.#store.signal([{ run: id, id: signalId, kind: "verb", name: verb, payload, actor }]);
    if (result === "ended") throw new RuntimeError("verb-forbidden", `the run ended before it could ${verb}`);
    if (result === "not-found") throw notFound(id);
    if (result === "rejected")
      throw new RuntimeError(
        "input-invalid",
        "expected an actor and an idempotency key that the store takes, got an empty one or one with a NUL character",
      );
    this.#poke(id);
  }

  async #check(id: string, verb: string): Promise<void> {
    const run = await this.#store.get(id);
    if (run === undefined) throw notFound(id);
    const plan = this.#registry.find(run.definition, run.version) ?? null;
    const state = fold(plan, run.createdAt, await this.#store.journal(id, 0, Number.MAX_SAFE_INTEGER));
    const refusal = forbids(verb, plan, state);
    if (refusal !== null)
      throw new RuntimeError("verb-forbidden", `the run cannot ${verb}: ${refusal}`, { run: id, status: run.status });
  }
}

function notFound(id: string): RuntimeError {
  return new RuntimeError("run-not-found", `expected the id of a run, got ${JSON.stringify(id.slice(0, 100))}`);
}
