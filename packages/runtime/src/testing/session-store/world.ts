import { createHash } from "node:crypto";
import { expect } from "vitest";
import { sessionId } from "../../store/session-id.js";
import type { LoadedSession, NewSession, Rotation, SessionRecord, SessionStore } from "../../store/session-store.js";

/** What the tests of the contract share. Sessions and tokens have names; `idOf` and `hash` make of them what a store sees. */

export interface SessionStoreUnderTest {
  /** Open and empty. */
  readonly store: SessionStore;
  /** The same sessions as another instance sees them, open. Leave it out when only one instance can have them. */
  readonly peer?: SessionStore;
  /** Moves the store's clock, which stands still otherwise. */
  advance(ms: number): void | Promise<void>;
  /** Closes `store` and `peer`, and opens the same sessions anew. Leave it out when they end with the process. */
  reopen?(): Promise<SessionStore>;
  /** Closes everything and removes what was stored. */
  close(): Promise<void>;
}

export interface World extends SessionStoreUnderTest {
  /** The peer, or the store itself where there is none. */
  readonly other: SessionStore;
  /** Ends the test as skipped, for the reason. */
  skip(reason: string): never;
}

export type Test = (title: string, body: (world: World) => Promise<void>) => void;

export const IDLE_MS = 1_000;
export const ABSOLUTE_MS = 10_000;
export const GRACE_MS = 100;

const UNIQUE_LENGTH = 20;

/** Ends with the name, so that ids of one subject are ordered as their names are. */
export function idOf(name: string, subject: string | null = null): string {
  if (!/^[\w-]{1,20}$/.test(name)) throw new Error(`expected a name of 1 to 20 letters of base64url, got ${name}`);
  return sessionId(subject, Buffer.from(name.padEnd(UNIQUE_LENGTH, "-"), "base64url"));
}

export function hash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Its token has the session's name. */
export function login(name: string, changes: Partial<NewSession> = {}): NewSession {
  return {
    id: idOf(name, changes.subject),
    kind: "login",
    tokenHash: hash(name),
    subject: null,
    data: {},
    idleMs: IDLE_MS,
    absoluteMs: ABSOLUTE_MS,
    ...changes,
  };
}

export function context(id: string, changes: Partial<NewSession> = {}): NewSession {
  return {
    id,
    kind: "context",
    tokenHash: null,
    subject: null,
    data: {},
    idleMs: IDLE_MS,
    absoluteMs: null,
    ...changes,
  };
}

export async function create(store: SessionStore, session: NewSession): Promise<SessionRecord> {
  const created = await store.create(session);
  if (typeof created === "string") throw new Error(`expected to create ${session.id}, got ${created}`);
  return created.session;
}

/** What the token leads to. One that is used again fails the test. */
export async function load(
  store: SessionStore,
  id: string,
  token: string,
  touch = false,
): Promise<LoadedSession | undefined> {
  const loaded = await store.load(id, hash(token), { touch });
  if (loaded && "reused" in loaded) throw new Error(`expected no reuse of the token ${token}`);
  return loaded;
}

export function rotation(from: string, to: string, graceMs: number, changes: Partial<Rotation> = {}): Rotation {
  return { oldTokenHash: hash(from), newTokenHash: hash(to), seed: seedOf(to), graceMs, ...changes };
}

/** Of the rotation to that token. */
export function seedOf(token: string): string {
  return `seed-of-${token}`;
}

/** Rotates through all of them, the first being current. */
export async function rotateThrough(
  store: SessionStore,
  id: string,
  tokens: readonly string[],
  graceMs: number,
): Promise<void> {
  for (const [index, to] of tokens.slice(1).entries()) {
    const rotated = await store.rotate(id, rotation(tokens[index] ?? "", to, graceMs));
    expect(rotated).toMatchObject({ seed: seedOf(to) });
  }
}

/** By id, by each token, and in the list. */
export async function expectDead(store: SessionStore, id: string, ...tokens: readonly string[]): Promise<void> {
  expect(await store.loadById(id)).toBeUndefined();
  for (const token of tokens) expect(await store.load(id, hash(token), { touch: false })).toBeUndefined();
  for (const kind of ["login", "context"] as const)
    expect(ids(await store.list({ kind, limit: 200 }))).not.toContain(id);
}

export function ids(page: { readonly items: readonly SessionRecord[] }): string[] {
  return page.items.map(({ id }) => id);
}

export function cursorOf(page: { readonly nextCursor: string | null }): { readonly cursor?: string } {
  return page.nextCursor === null ? {} : { cursor: page.nextCursor };
}

/** `make(0)` to `make(count - 1)` at once, on both instances by turns. */
export function together<T>(
  { store, other }: Pick<World, "store" | "other">,
  count: number,
  make: (store: SessionStore, n: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => make(n % 2 ? other : store, n)));
}
