import { RuntimeError } from "../../errors.js";
import type { Json, JsonObject } from "../../json.js";
import type { NewSignIn, SessionDelta, SignIn } from "../../store/session-store.js";
import { type Freshness, requireFresh } from "../freshness.js";
import type { CreateSession, IssuedSession, ResumedSession, Session, SignInRequest } from "../manager.js";
import { notFound } from "../session-refusals.js";
import { createCsrfToken } from "./csrf.js";
import { FieldChanges } from "./field-changes.js";
import type { HttpSessions, Presented, Transport } from "./http-sessions.js";
import type { LoadOptions, RequestSession } from "./request-session.js";
import type { SessionField, SessionFields } from "./session-fields.js";
import { isSafe, originOf, type SessionRequest } from "./session-request.js";

/** Sets a header of the response; a second Set-Cookie is one more. */
export type SetHeader = (name: string, value: string) => void;

const NOTHING = {};

/**
 * The state of a request's session: what it came with, what it is now, and what the client has to be told of it. The adapter loads it
 * before the handler, and before the headers leave calls `commit` and then `tell`.
 */
export class StoredRequestSession<Request extends SessionRequest = SessionRequest> implements RequestSession {
  readonly #http: HttpSessions<Request>;
  readonly #request: Request;
  readonly #presented: Presented | null;
  /** Called once, when the first change may have been made. */
  #onMayChange: (() => void) | null;
  #loading: Promise<this> | null = null;
  #isLoaded: boolean;
  #session: Session | null = null;
  #token: string | null = null;
  #transport: Transport;
  #fields: FieldChanges | null = null;
  /** The client does not have the token yet. */
  #isTokenNew = false;
  #isCleared = false;
  #isNew = true;
  #haveHeadersLeft = false;

  constructor(
    http: HttpSessions<Request>,
    request: Request,
    presented: Presented | null,
    onMayChange: (() => void) | null = null,
  ) {
    this.#http = http;
    this.#request = request;
    this.#presented = presented;
    this.#onMayChange = onMayChange;
    this.#isLoaded = presented === null;
    this.#transport = presented?.transport ?? http.defaultTransport;
  }

  get id(): string | null {
    return this.#loaded()?.id ?? null;
  }

  get subject(): string | null {
    return this.#loaded()?.subject ?? null;
  }

  get signedIn(): SignIn | null {
    return this.#loaded()?.signIn ?? null;
  }

  get isNew(): boolean {
    this.#loaded();
    return this.#isNew;
  }

  get transport(): Transport | null {
    return this.#loaded() === null ? null : this.#transport;
  }

  get stored(): Session | null {
    return this.#loaded();
  }

  get createdAt(): number | null {
    return this.#loaded()?.createdAt ?? null;
  }

  get expiresAt(): number | null {
    return this.#loaded()?.expiresAt ?? null;
  }

  get csrfToken(): string | null {
    this.#loaded();
    if (this.#token === null || this.#transport === "bearer") return null;
    return createCsrfToken(this.#token, this.#http.ports.random);
  }

  load(options: LoadOptions = {}): Promise<this> {
    this.#loading ??= this.#isLoaded ? Promise.resolve(this) : this.#load(options);
    return this.#loading;
  }

  get<Field extends SessionField>(field: Field): SessionFields[Field] | undefined {
    const session = this.#loaded();
    if (session === null && this.#fields === null) return undefined;
    const fields = this.#changes();
    const value = fields.get(field);
    if (typeof value === "object" && value !== null) this.#mayChange();
    return value as SessionFields[Field] | undefined;
  }

  has(field: SessionField): boolean {
    const session = this.#loaded();
    return session === null && this.#fields === null ? false : this.#changes().has(field);
  }

  set<Field extends SessionField>(field: Field, value: SessionFields[Field]): void {
    this.#begin();
    this.#changes().set(field, value);
    this.#mayChange();
  }

  delete(field: SessionField): void {
    this.#begin();
    this.#changes().delete(field);
    this.#mayChange();
  }

  async update(change: (fields: Partial<SessionFields>) => Partial<SessionFields> | undefined): Promise<void> {
    if (this.#loaded() === null) return this.#updateNew(change);
    await this.save();
    const session = this.#live("update");
    const changed = await this.#http.manager.update(
      session.id,
      (data: JsonObject) => change(data as Partial<SessionFields>) as JsonObject | undefined,
    );
    this.#session = changed;
    this.#changes().replaceStored(changed.data);
  }

  async save(): Promise<void> {
    this.#loaded();
    const delta = this.#fields?.take() ?? null;
    if (delta === null) return;
    try {
      if (this.#session === null) await this.#create(delta);
      else await this.#http.manager.write(this.#session.id, delta);
    } catch (error) {
      // It stays pending, so that an answer which knows nothing of the failure is refused as well.
      this.#fields?.putBack(delta);
      throw error;
    }
  }

  async begin(request: Omit<CreateSession, "subject" | "signIn"> = {}, transport = this.#transport): Promise<void> {
    this.#begin(transport);
    // Ended first: a client that is told of no new session has none, and not one that nobody knows of.
    if (this.#loaded() !== null) await this.destroy();
    const origin = originOf(this.#request);
    this.#issued(await this.#http.manager.create({ device: origin, ...request }, origin), transport);
  }

  async signIn(request: SignInRequest, transport = this.#transport): Promise<void> {
    this.#loaded();
    this.#begin(transport);
    const pending = request.keepData === false ? null : (this.#fields?.take() ?? null);
    const data = { ...pending?.set, ...request.data };
    const origin = originOf(this.#request);
    const full = { device: origin, ...request, ...(Object.keys(data).length > 0 && { data }) };
    try {
      this.#issued(await this.#http.manager.signIn(this.#token ?? undefined, full, origin), transport);
    } catch (error) {
      if (pending !== null) this.#fields?.putBack(pending);
      throw error;
    }
    for (const field of pending?.unset ?? []) this.#changes().delete(field);
  }

  async stepUp(signIn: NewSignIn): Promise<void> {
    await this.#replaceToken("stepUp", (token) => this.#http.manager.stepUp(token, signIn, originOf(this.#request)));
  }

  async rotate(): Promise<void> {
    await this.#replaceToken("rotate", (token) => this.#http.manager.rotate(token, 0, originOf(this.#request)));
  }

  async destroy(): Promise<boolean> {
    const session = this.#loaded();
    this.#checkHeaders();
    this.#mayChange();
    const wasLive = session !== null && (await this.#http.manager.destroy(session.id, originOf(this.#request)));
    this.#session = null;
    this.#token = null;
    this.#fields = null;
    this.#isTokenNew = false;
    this.#isCleared = this.#presented !== null || session !== null;
    return wasLive;
  }

  async revokeOthers(): Promise<number> {
    const { id, subject } = this.#live("revokeOthers");
    if (subject === null) throw notFound("a session of a subject to revoke the others of");
    return this.#http.manager.revokeSubject(subject, id, originOf(this.#request));
  }

  requireSubject(): string {
    const subject = this.subject;
    if (subject === null) throw notFound("a session of somebody who signed in");
    return subject;
  }

  requireFresh(required: Freshness): string {
    const subject = this.requireSubject();
    requireFresh({ signIn: this.signedIn }, required, this.#http.ports.clock.now());
    return subject;
  }

  /** Whether `tell` sets a header. */
  get hasNews(): boolean {
    return this.#isTokenNew || this.#isCleared;
  }

  /** Writes what is pending; null when that is nothing. No change is taken after it. */
  commit(): Promise<void> | null {
    this.#haveHeadersLeft = true;
    return this.#fields?.mayHaveChanged ? this.save() : null;
  }

  /** Tells the client its token, when it has another one. */
  tell(setHeader: SetHeader): void {
    const { cookie, tokenHeader, clearSiteData } = this.#http;
    if (this.#isTokenNew && this.#token !== null) {
      if (this.#transport === "cookie" && cookie !== null) setHeader("set-cookie", cookie.write(this.#token));
      else if (tokenHeader !== null) setHeader(tokenHeader, this.#token);
      setHeader("cache-control", "no-store");
    } else if (this.#isCleared && this.#transport === "cookie" && cookie !== null) {
      setHeader("set-cookie", cookie.clear());
      setHeader("cache-control", "no-store");
      if (clearSiteData !== "") setHeader("clear-site-data", clearSiteData);
    }
  }

  async #load({ rotate = true }: LoadOptions): Promise<this> {
    const { csrf } = this.#http;
    const presented = this.#presented as Presented;
    if (presented.transport === "cookie") csrf?.check(this.#request, presented.token);
    const resumed = await this.#resume(presented, rotate && this.#http.doesRotate(presented.transport));
    if (resumed === undefined) {
      this.#isLoaded = true;
      this.#http.countUnknown(this.#request, presented.token ?? "");
      return this;
    }
    this.#session = resumed.session;
    this.#token = resumed.token ?? presented.token;
    this.#isTokenNew = resumed.token !== null;
    this.#isNew = false;
    this.#isLoaded = true;
    if (this.#isTokenNew) this.#mayChange();
    return this;
  }

  /** A token that is ambiguous is for the manager to report, as any that nobody can have been given. */
  async #resume({ token }: Presented, mayReplace: boolean): Promise<ResumedSession | undefined> {
    const { manager } = this.#http;
    const origin = originOf(this.#request);
    if (mayReplace) return await manager.resume(token ?? "", origin);
    const session = await manager.load(token ?? "", origin);
    return session && { session, token: null };
  }

  async #create(delta: SessionDelta): Promise<void> {
    if (delta.set === undefined) return;
    const origin = originOf(this.#request);
    const { session, token } = await this.#http.manager.create({ data: delta.set, device: origin }, origin);
    this.#session = session;
    this.#token = token;
    this.#isTokenNew = true;
  }

  async #updateNew(change: (fields: Partial<SessionFields>) => Partial<SessionFields> | undefined): Promise<void> {
    this.#begin();
    const fields = this.#changes();
    const before = fields.all();
    const after = change(structuredClone(before) as Partial<SessionFields>) as Record<string, Json> | undefined;
    if (after === undefined) return;
    for (const field of Object.keys(before)) if (!Object.hasOwn(after, field)) fields.delete(field);
    for (const [field, value] of Object.entries(after)) fields.set(field, value);
    this.#mayChange();
    await this.save();
  }

  async #replaceToken(what: string, replace: (token: string) => Promise<IssuedSession>): Promise<void> {
    this.#live(what);
    this.#checkHeaders();
    const { session, token } = await replace(this.#token as string);
    this.#session = session;
    this.#token = token;
    this.#isTokenNew = true;
    this.#mayChange();
  }

  #issued({ session, token }: IssuedSession, transport: Transport): void {
    this.#transport = transport;
    this.#session = session;
    this.#token = token;
    this.#isTokenNew = true;
    this.#isCleared = false;
    this.#fields = new FieldChanges(session.data);
    this.#mayChange();
  }

  /** Before a change: refuses one that would be lost, and a new session that another site wants. */
  #begin(transport = this.#transport): void {
    this.#checkHeaders();
    if (this.#loaded() !== null || transport !== "cookie" || isSafe(this.#request)) return;
    this.#http.csrf?.checkBeginning(this.#request);
  }

  #checkHeaders(): void {
    if (!this.#haveHeadersLeft) return;
    const message =
      "expected the session to change before the response's headers leave, got a change after; change it earlier, or use session.update(), which writes at once";
    throw new RuntimeError("internal", message);
  }

  #loaded(): Session | null {
    if (this.#isLoaded) return this.#session;
    const message =
      "expected a session that was read; await session.load() before, as this route is declared not to read it";
    throw new RuntimeError("internal", message);
  }

  #live(what: string): Session {
    const session = this.#loaded();
    if (session === null) throw notFound(`a live session for ${what}()`);
    return session;
  }

  #changes(): FieldChanges {
    this.#fields ??= new FieldChanges(this.#session?.data ?? NOTHING);
    return this.#fields;
  }

  #mayChange(): void {
    if (this.#onMayChange === null) return;
    const notify = this.#onMayChange;
    this.#onMayChange = null;
    notify();
  }
}
