import { fold } from "../engine/fold.js";
import type { JournalRow } from "../engine/records.js";
import { forbids, isVerb, VERBS } from "../engine/verbs.js";
import { RuntimeError } from "../errors.js";
import { toJson } from "../json.js";
import { type Ports, uuidV7 } from "../ports.js";
import type { VerbRequest } from "../saga/manager.js";
import { MAX_UNREAD, type RunStore } from "../store/run-store.js";
import type { PlanRegistry } from "../worker/worker.js";

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
    if (reason.trim() === "" || reason.length > 500)
      throw new RuntimeError("input-invalid", `expected a reason of 1 to 500 characters, got ${reason.length}`);
    if (step !== undefined && verb !== "retry")
      throw new RuntimeError("input-invalid", `expected a step with retry alone, got one with ${verb}`);
    const payload = toJson({ reason, ...(step !== undefined && { step }) }, "reason");
    const request = idempotencyKey === undefined ? uuidV7(this.#ports) : `${verb}:${idempotencyKey}`;
    if (await this.#isDone(id, { name: verb, request, ...(step !== undefined && { step }) })) return;
    const [result] = await this.#store.signal([{ run: id, id: request, kind: "verb", name: verb, payload, actor }]);
    if (result === "ended") throw forbidden(id, verb, "the run has ended");
    if (result === "not-found") throw notFound(id);
    if (result === "full")
      throw new RuntimeError(
        "inbox-full",
        `expected fewer than ${MAX_UNREAD} unread messages of run ${id}, got as many`,
      );
    if (result === "rejected")
      throw new RuntimeError(
        "input-invalid",
        "expected an actor and an idempotency key that the store takes, got an empty one or one with a NUL character",
      );
    this.#poke(id);
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

function answerTo(request: string, rows: readonly JournalRow[]) {
  return rows.flatMap((row) => row.records).find((record) => "request" in record && record.request === request);
}

function forbidden(run: string, verb: string, why: string): RuntimeError {
  return new RuntimeError("verb-forbidden", `the run cannot ${verb}: ${why}`, { run, verb });
}

function notFound(id: string): RuntimeError {
  return new RuntimeError("run-not-found", `expected the id of a run, got ${JSON.stringify(id.slice(0, 100))}`);
}
