import { setTimeout as sleep } from "node:timers/promises";
import type { Session } from "@clean-arch/runtime";
import { Draws } from "../seeded.js";
import { COUNTER, FIELDS, nowMs, type SessionCallEvent, type SessionOp } from "./session-history.js";
import type { SessionInstance } from "./session-instance.js";

export interface SessionClientsOptions {
  readonly seed: number;
  readonly instances: readonly SessionInstance[];
  /** Each with as many clients as a subject may have sessions, and one more for every other subject: there the oldest are evicted. */
  readonly subjects: number;
  readonly perSubject: number;
  readonly idleMs: number;
  readonly calls: SessionCallEvent[];
  readonly errors: string[];
}

/** What a client has of its session. */
interface Held {
  readonly id: string;
  token: string;
  /** The last token that was replaced with a grace. */
  replaced: string | null;
}

type Asked = Pick<SessionCallEvent, "op" | "session"> &
  Partial<Pick<SessionCallEvent, "token" | "graceMs" | "field" | "value">>;

/** Users with several devices, who log in, read and write at once, rotate, log out, log out everywhere, and walk away. */
export class SessionClients {
  readonly #options: SessionClientsOptions;
  #stopping = false;
  #values = 0;
  #contexts = 0;
  #working: Promise<unknown> = Promise.resolve();
  readonly contexts: string[] = [];

  constructor(options: SessionClientsOptions) {
    this.#options = options;
  }

  get subjects(): string[] {
    return Array.from({ length: this.#options.subjects }, (_, n) => `user ${n}`);
  }

  start(): void {
    const { perSubject, seed } = this.#options;
    const clients = this.subjects.flatMap((subject, n) =>
      Array.from({ length: perSubject + (n % 2) }, (_, device) =>
        this.#client(subject, new Draws(seed, "client", n, device)),
      ),
    );
    this.#working = Promise.all([...clients, this.#runs(new Draws(seed, "runs"))]);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#working;
  }

  async #client(subject: string, draws: Draws): Promise<void> {
    let held: Held | null = null;
    while (!this.#stopping) {
      await sleep(draws.between(5, 60));
      held = held === null ? await this.#login(subject, draws) : await this.#use(subject, held, draws);
    }
  }

  async #login(subject: string, draws: Draws): Promise<Held | null> {
    const data = Object.fromEntries([...FIELDS.map((field) => [field, 0]), [COUNTER, 0]]);
    const called = await this.#call(subject, { op: "create", session: null }, draws, [subject, data]);
    if (called.outcome === "ok" && called.session !== null && typeof called.newToken === "string")
      return { id: called.session, token: called.newToken, replaced: null };
    return null;
  }

  /** Null: it has none any more, as far as it knows. */
  async #use(subject: string, held: Held, draws: Draws): Promise<Held | null> {
    const { id, token } = held;
    const ofToken = (op: "load" | "resume"): Promise<SessionCallEvent> =>
      this.#call(subject, { op, session: id, token }, draws, [token]);
    const drawn = draws.float();
    if (drawn < 0.3) return this.#follow(held, await ofToken(draws.chance(0.5) ? "load" : "resume"));
    if (drawn < 0.68) {
      const several = await Promise.all(
        Array.from({ length: 1 + Math.floor(draws.between(0, 3)) }, () => this.#change(subject, id, draws)),
      );
      return several.some(({ outcome }) => outcome === "none") ? null : held;
    }
    if (drawn < 0.8) return this.#rotate(subject, held, draws);
    if (drawn < 0.86) {
      const called = await this.#call(subject, { op: "get", session: id }, draws, [id]);
      return called.outcome === "none" ? null : held;
    }
    if (drawn < 0.89 && held.replaced !== null) {
      const asked = { op: "resume", session: id, token: held.replaced } as const;
      await this.#call(subject, asked, draws, [held.replaced]);
      return held;
    }
    if (drawn < 0.93) {
      await this.#call(subject, { op: "list", session: null }, draws, [subject]);
      return held;
    }
    if (drawn < 0.96) {
      await this.#call(subject, { op: "destroy", session: id }, draws, [id]);
      // Whatever the answer: it must not be taken after one that says that it is done.
      if (draws.chance(0.5)) await ofToken("load");
      return null;
    }
    if (drawn < 0.965) {
      await this.#call(subject, { op: "revokeSubject", session: null }, draws, [subject]);
      return held;
    }
    if (drawn < 0.975) {
      await sleep(draws.between(0.9, 1.2) * this.#options.idleMs);
      return held;
    }
    return drawn < 0.985 ? null : held;
  }

  #change(subject: string, id: string, draws: Draws): Promise<SessionCallEvent> {
    if (draws.chance(0.3)) return this.#call(subject, { op: "increment", session: id }, draws, [id, COUNTER]);
    this.#values += 1;
    const value = this.#values;
    const field = draws.pick(FIELDS);
    return this.#call(subject, { op: "write", session: id, field, value }, draws, [id, field, value]);
  }

  async #rotate(subject: string, held: Held, draws: Draws): Promise<Held | null> {
    const graceMs = draws.chance(0.7) ? Math.round(draws.between(300, 3_000)) : 0;
    const asked = { op: "rotate", session: held.id, token: held.token, graceMs } as const;
    const called = await this.#call(subject, asked, draws, [held.token, graceMs]);
    if (called.outcome === "unknown") {
      // In the grace the old token tells what became of it; without, nobody can know.
      if (graceMs === 0) return null;
      const again = { op: "resume", session: held.id, token: held.token } as const;
      return this.#follow(held, await this.#call(subject, again, draws, [held.token]));
    }
    if (called.outcome === "none" || typeof called.newToken !== "string") return null;
    return { id: held.id, token: called.newToken, replaced: graceMs > 0 ? held.token : null };
  }

  #follow(held: Held, { outcome, newToken }: SessionCallEvent): Held | null {
    if (outcome === "none") return null;
    if (outcome === "ok" && typeof newToken === "string") return { ...held, token: newToken, replaced: held.token };
    return held;
  }

  /** Runs begin, each with a context that lives as long as somebody owns it. */
  async #runs(draws: Draws): Promise<void> {
    while (!this.#stopping) {
      await sleep(draws.between(500, 1_500));
      const up = this.#options.instances.filter(({ isReady }) => isReady);
      if (up.length === 0) continue;
      this.#contexts += 1;
      const id = `run:${this.#contexts}`;
      const answer = await draws.pick(up).ask("context", id);
      if (answer.kind === "answered") this.contexts.push(id);
    }
  }

  async #call(
    subject: string,
    asked: Asked,
    draws: Draws,
    args: readonly (string | number | object)[],
  ): Promise<SessionCallEvent> {
    const up = this.#options.instances.filter(({ isReady }) => isReady);
    const instance = up.length === 0 ? null : draws.pick(up);
    const { name = "nobody" } = instance ?? {};
    const at = nowMs();
    const answer = (await instance?.ask(asked.op, ...args)) ?? { kind: "silent" };
    const until = nowMs();
    const known = { instance: name, subject, at, ...asked };
    let event: SessionCallEvent;
    if (answer.kind === "answered") event = { ...known, until, ...readAnswer(asked.op, answer.result) };
    else if (answer.kind === "failed" && answer.code === "session-not-found")
      event = { ...known, until, outcome: "none" };
    else {
      if (answer.kind === "failed" && answer.code !== "store-unavailable")
        this.#options.errors.push(`${asked.op} by ${name}: ${answer.code} ${answer.message}`);
      event = { ...known, until: Number.POSITIVE_INFINITY, outcome: "unknown" };
      // As a client does, who waits before it tries again.
      await sleep(draws.between(20, 150));
    }
    this.#options.calls.push(event);
    return event;
  }
}

type Read = Pick<SessionCallEvent, "outcome"> & Partial<SessionCallEvent>;

function readAnswer(op: SessionOp, result: unknown): Read {
  if (result === null || result === false) return { outcome: "none" };
  if (op === "destroy" || op === "revokeSubject") return { outcome: "ok" };
  if (op === "list")
    return { outcome: "ok", ids: (result as { readonly items: readonly Session[] }).items.map(({ id }) => id) };
  if (op === "create" || op === "resume" || op === "rotate") {
    const { session, token } = result as { readonly session: Session; readonly token: string | null };
    return { ...readSession(session), session: session.id, newToken: token };
  }
  return op === "write" ? readTimes(result as Session) : readSession(result as Session);
}

function readSession(session: Session): Read {
  return { ...readTimes(session), data: session.data as Readonly<Record<string, number>> };
}

function readTimes({ createdAt, expiresAt }: Session): Read {
  return { outcome: "ok", createdAt, expiresAt };
}
