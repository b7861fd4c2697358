import type { RotationConfig } from "../config.js";
import type { Ports } from "../ports.js";
import type { LoadedSession, LoadOptions, NewSignIn, SessionHead, SessionStore } from "../store/session-store.js";
import type { IssuedSession, Origin, ResumedSession } from "./manager.js";
import { type ReplacedToken, rotateToken } from "./rotate-token.js";
import type { SessionAudit } from "./session-audit.js";
import { checkGrace, checkSignIn } from "./session-bounds.js";
import { notFound } from "./session-refusals.js";
import { toSession } from "./session-view.js";
import { readToken, successorOf } from "./token.js";

export interface SessionAccessOptions {
  readonly store: SessionStore;
  readonly rotation: RotationConfig;
  readonly ports: Ports;
  readonly audit: SessionAudit;
}

/** In its grace a token leads to its successor, and that one perhaps to another; more means that somebody rotates without end. */
const MAX_HOPS = 4;

/**
 * What a token is good for: its session, and the next token. A text that cannot be a token never reaches the store. A store
 * that does not answer is an error in each of them: nobody is let in or sent away by a guess.
 */
export class SessionAccess {
  readonly #options: SessionAccessOptions;

  constructor(options: SessionAccessOptions) {
    this.#options = options;
  }

  async load(token: string, options: LoadOptions, origin?: Origin): Promise<LoadedSession | undefined> {
    const read = readToken(token);
    const loaded = read && (await this.#options.store.load(read.id, read.hash, options));
    if (!loaded) this.#tellUnknown(token, origin);
    else if (!("reused" in loaded)) return loaded;
    else this.#options.audit.tell({ ...idOf(loaded.reused), kind: "reused" }, origin);
    return undefined;
  }

  async resume(token: string, origin?: Origin): Promise<ResumedSession | undefined> {
    const loaded = await this.load(token, { touch: true }, origin);
    if (!loaded) return undefined;
    if (loaded.seed !== undefined) return { session: toSession(loaded), token: successorOf(token, loaded.seed) };
    if (!this.#isOld(loaded)) return { session: toSession(loaded), token: null };
    const replaced = await this.#replace(token, { graceMs: Math.ceil(this.#options.rotation.graceMs) }, origin);
    // It led to a session a moment ago and was ended in between: no stranger's, so nobody is told.
    return typeof replaced === "string" ? undefined : this.#rotated(replaced, origin);
  }

  async rotate(token: string, graceMs: number, origin?: Origin): Promise<IssuedSession> {
    const replaced = await this.#replace(token, { graceMs: checkGrace(graceMs) }, origin);
    if (typeof replaced === "string") throw this.#refuse(replaced, token, origin);
    return this.#rotated(replaced, origin);
  }

  async stepUp(token: string, signIn: NewSignIn, origin?: Origin): Promise<IssuedSession> {
    const change = { graceMs: 0, signIn: checkSignIn(signIn) };
    let current = token;
    for (let hop = 1; hop <= MAX_HOPS; hop += 1) {
      const replaced = await this.#replace(current, change, origin);
      if (typeof replaced === "string") throw this.#refuse(replaced, token, origin);
      current = replaced.token;
      // Nothing changed at the store: the sign-in belongs to the successor, whose token dies with it.
      if (!replaced.isOurs) continue;
      const { level } = change.signIn;
      this.#options.audit.tell({ ...idOf(replaced.session), kind: "stepped-up", level }, origin);
      return { session: toSession(replaced.session), token: current };
    }
    throw notFound("a token that is not replaced again and again");
  }

  /** By this process's clock, so about right; two who both find it old get the same successor. */
  #isOld({ rotatedAt }: SessionHead): boolean {
    const { rotation, ports } = this.#options;
    return rotation.periodMs !== null && ports.clock.now() - rotatedAt >= rotation.periodMs;
  }

  async #replace(
    token: string,
    change: { readonly graceMs: number; readonly signIn?: NewSignIn },
    origin?: Origin,
  ): Promise<(ReplacedToken & { readonly graceMs: number }) | "not-found" | "reused"> {
    const { store, ports, audit } = this.#options;
    const read = readToken(token);
    const replaced = read ? await rotateToken({ store, random: ports.random }, token, read, change) : "not-found";
    if (replaced === "not-found") return replaced;
    if (!("reused" in replaced)) return { ...replaced, graceMs: change.graceMs };
    audit.tell({ ...idOf(replaced.reused), kind: "reused" }, origin);
    return "reused";
  }

  #rotated({ session, token, isOurs, graceMs }: ReplacedToken & { readonly graceMs: number }, origin?: Origin) {
    if (isOurs) this.#options.audit.tell({ ...idOf(session), kind: "rotated", graceMs }, origin);
    return { session: toSession(session), token };
  }

  #refuse(verdict: "not-found" | "reused", token: string, origin?: Origin): Error {
    if (verdict === "not-found") this.#tellUnknown(token, origin);
    return notFound("a live session with this token");
  }

  #tellUnknown(token: string, origin?: Origin): void {
    this.#options.audit.tell({ kind: "unknown-token", wellFormed: readToken(token) !== undefined }, origin);
  }
}

function idOf({ id, subject }: Pick<SessionHead, "id" | "subject">): Pick<SessionHead, "id" | "subject"> {
  return { id, subject };
}
