import type { JsonObject } from "../json.js";
import type { EndedSession, SessionRecord, SessionStore } from "../store/session-store.js";
import type { IssuedSession, Origin, SignInRequest } from "./manager.js";
import type { SessionAudit } from "./session-audit.js";
import { checkFields, checkSubject } from "./session-bounds.js";
import type { PreparedLogin, SessionCreation } from "./session-creation.js";

/**
 * A sign-in ends the session that the caller had, the former one, and creates another: a new id, as the id says where the
 * sessions of its subject lie, and a token that nobody could have planted. The two may lie in different places of a store,
 * so they are two calls, and the order is the promise:
 *
 * 1. Everything that can be refused is refused: bounds, the size of the data taken along, a limit that denies.
 * 2. The former session is taken: ended, and given as it was at its end. A commit acknowledged before is in what is taken
 *    along; one that comes later finds no session. Of several who take it, one gets it: its data never doubles.
 * 3. The new one is created.
 *
 * A crash between 2 and 3 leaves the user logged out. The other order would leave two sessions, and at worst the planted one
 * alive; and it would count a former session of the same subject against the limit. A store that fails before 2 costs
 * nothing. What is lost without a crash: the former session, when the store fails exactly between, or another sign-in of
 * the subject fills a denying limit there. The call then throws, and `revoked` is told.
 */
export class SessionSignIn {
  readonly #store: SessionStore;
  readonly #creation: SessionCreation;
  readonly #audit: SessionAudit;

  constructor(store: SessionStore, creation: SessionCreation, audit: SessionAudit) {
    this.#store = store;
    this.#creation = creation;
    this.#audit = audit;
  }

  /** `find`: looks for the live session behind the token that the caller has, if it has one. */
  async signIn(
    find: (() => Promise<SessionRecord | undefined>) | undefined,
    request: SignInRequest,
    origin?: Origin,
  ): Promise<IssuedSession> {
    const { data: added, keepData = true, signIn = { level: 1 }, ...rest } = request;
    const login = this.#creation.prepare({ ...rest, signIn, subject: checkSubject(rest.subject) });
    const laidOver = checkFields(added ?? {});
    const dataOf = (former: SessionRecord): JsonObject => ({ ...(keepData && kept(former, login)), ...laidOver });

    const found = await find?.();
    if (found) {
      checkFields(dataOf(found));
      await this.#foreseeLimit(login, found, origin);
    }
    // Undefined as well when somebody ended it meanwhile: what a logout meant to end is not carried on.
    const former = found && (await this.#store.revoke(found.id));
    const issued = await this.#create(login, former ? dataOf(former) : laidOver, former, origin);
    const { id, subject } = issued.session;
    const level = login.signIn?.level ?? 1;
    this.#audit.tell({ kind: "signed-in", id, subject, level, formerId: former?.id ?? null }, origin);
    return issued;
  }

  async #create(
    login: PreparedLogin,
    data: JsonObject,
    former?: EndedSession,
    origin?: Origin,
  ): Promise<IssuedSession> {
    try {
      return await this.#creation.store(login, data, origin);
    } catch (error) {
      if (former) this.#audit.tell({ kind: "revoked", id: former.id, subject: former.subject }, origin);
      throw error;
    }
  }

  /** Refuses while the former session is whole what `create` would refuse when it is gone. */
  async #foreseeLimit(login: PreparedLogin, former: SessionRecord, origin?: Origin): Promise<void> {
    const { subject, limit } = login;
    if (subject === null || limit?.policy !== "deny") return;
    const { items } = await this.#store.list({ subject, limit: limit.max + 1 });
    if (items.filter(({ id }) => id !== former.id).length >= limit.max) throw this.#creation.refuse(login, origin);
  }
}

/** Nothing of another subject's session goes along. One without a subject becomes the subject's. */
function kept({ subject, data }: SessionRecord, login: PreparedLogin): JsonObject {
  return subject === null || subject === login.subject ? data : {};
}
