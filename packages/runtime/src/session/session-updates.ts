import { RuntimeError } from "../errors.js";
import type { Json, JsonObject } from "../json.js";
import type { SessionDelta, SessionRecord, SessionStore } from "../store/session-store.js";
import type { ChangeData, Session } from "./manager.js";
import { checkDelta, checkFields, checkPatch } from "./session-bounds.js";
import { dataToDelta, isEmptyDelta, needsPresentData, patchToDelta } from "./session-delta.js";
import { moved, neverStill, notFound } from "./session-refusals.js";
import { toSession } from "./session-view.js";

/** Attempts to change what is there while others write the same session. */
const MAX_ATTEMPTS = 16;

/** Changes of one session that wait for each other on this instance. */
const MAX_WAITING = 1_000;

/**
 * Changes to the data of sessions. What needs the present data reads it and commits only if nobody else did meanwhile, else
 * again. On this instance such changes of one session queue, so only other instances are left to compete with.
 */
export class SessionUpdates {
  readonly #store: SessionStore;
  /** Per session id the last change under way, and how many there are; gone when they are done. */
  readonly #turns = new Map<string, { readonly last: Promise<unknown>; readonly waiting: number }>();

  constructor(store: SessionStore) {
    this.#store = store;
  }

  async merge(id: string, patch: Readonly<Record<string, Json>>, revision?: number): Promise<Session> {
    const checked = checkPatch(patch);
    const isDirect = Object.keys(checked).length > 0 && !needsPresentData(checked);
    if (isDirect) return this.#commitOrThrow(id, patchToDelta(checked), revision);
    return this.#inTurn(id, () => this.#compareAndCommit(id, (data) => patchToDelta(checked, data), revision));
  }

  async change(id: string, change: ChangeData): Promise<Session> {
    return this.#inTurn(id, () => this.#compareAndCommit(id, (data) => deltaOf(change, data)));
  }

  async write(id: string, delta: SessionDelta, revision?: number): Promise<Session> {
    return this.#commitOrThrow(id, checkDelta(delta), revision, "head");
  }

  async #compareAndCommit(id: string, toDelta: ToDelta, revision?: number): Promise<Session> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const present = await this.#present(id);
      if (revision !== undefined && revision !== present.revision) throw moved(id, revision, present.revision);
      const delta = toDelta(present.data);
      if (isEmptyDelta(delta)) return toSession(present);
      const updated = await this.#commit(id, delta, present.revision);
      if (updated !== "moved") return updated;
    }
    const { revision: current } = await this.#present(id);
    throw revision === undefined ? neverStill(id, MAX_ATTEMPTS, current) : moved(id, revision, current);
  }

  async #commitOrThrow(id: string, delta: SessionDelta, revision?: number, returning?: "head"): Promise<Session> {
    const updated = await this.#commit(id, delta, revision, returning);
    if (updated !== "moved") return updated;
    const { revision: current } = await this.#present(id);
    throw moved(id, revision, current);
  }

  async #commit(
    id: string,
    delta: SessionDelta,
    revision?: number,
    returning: "record" | "head" = "record",
  ): Promise<Session | "moved"> {
    const updated = await this.#store.commit(id, delta, { returning, ...(revision !== undefined && { revision }) });
    if (updated === "not-found") throw notFound("a live session", id);
    return updated === "moved" ? updated : toSession(updated);
  }

  async #present(id: string): Promise<SessionRecord> {
    const present = await this.#store.loadById(id);
    if (!present) throw notFound("a live session", id);
    return present;
  }

  async #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const { last = Promise.resolve(), waiting = 0 } = this.#turns.get(id) ?? {};
    if (waiting >= MAX_WAITING) {
      const message = `expected at most ${MAX_WAITING} changes of session ${id} to wait for each other here; try again later`;
      throw new RuntimeError("overloaded", message, { sessionId: id, maxWaiting: MAX_WAITING });
    }
    const turn = last.then(work, work);
    this.#turns.set(id, { last: turn, waiting: waiting + 1 });
    try {
      return await turn;
    } finally {
      const { last: newest = turn, waiting: left = 1 } = this.#turns.get(id) ?? {};
      if (left > 1) this.#turns.set(id, { last: newest, waiting: left - 1 });
      else this.#turns.delete(id);
    }
  }
}

type ToDelta = (present: JsonObject) => Required<SessionDelta>;

function deltaOf(change: ChangeData, present: JsonObject): Required<SessionDelta> {
  // A copy: a function that changes what it is given would else be compared with its own change.
  const changed: unknown = change(structuredClone(present));
  if (changed === undefined) return { set: {}, unset: [] };
  if (changed instanceof Promise) {
    // Else it is an empty object as JSON, and all data is gone.
    changed.catch(() => {});
    const message = "expected change to give data, got a promise; do what takes time before the update";
    throw new RuntimeError("input-invalid", message, { what: "change" });
  }
  return dataToDelta(checkFields(changed), present);
}
