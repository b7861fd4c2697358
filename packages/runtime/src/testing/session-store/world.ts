import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { NewSession, SessionRecord, SessionStore } from "../../store/session-store.js";

/** What the tests of the contract share. */

export interface SessionStoreUnderTest {
  /** Open and empty. */
  readonly store: SessionStore;
  /** The same sessions as another instance sees them, open. Leave it out when only one instance can have them. */
  readonly peer?: SessionStore;
  /** Moves the store's clock. */
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

export function hash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

export function login(id: string, changes: Partial<NewSession> = {}): NewSession {
  return {
    id,
    kind: "login",
    tokenHash: hash(id),
    subject: null,
    data: {},
    idleMs: IDLE_MS,
    absoluteMs: ABSOLUTE_MS,
    ...changes,
  };
}

export function context(id: string, changes: Partial<NewSession> = {}): NewSession {
  return { ...login(id), kind: "context", tokenHash: null, absoluteMs: null, ...changes };
}

export async function create(store: SessionStore, session: NewSession): Promise<SessionRecord> {
  const created = await store.create(session);
  if (created === "exists") throw new Error(`expected ${session.id} to be free`);
  return created;
}

export async function expectDead(store: SessionStore, id: string, tokenHash: string): Promise<void> {
  expect(await store.loadById(id)).toBeUndefined();
  expect(await store.load(tokenHash, { touch: false })).toBeUndefined();
  expect((await store.list({ limit: 200 })).items.map((session) => session.id)).not.toContain(id);
}

export function ids(page: { readonly items: readonly SessionRecord[] }): string[] {
  return page.items.map(({ id }) => id);
}

export function cursorOf(page: { readonly nextCursor: string | null }): { readonly cursor?: string } {
  return page.nextCursor === null ? {} : { cursor: page.nextCursor };
}
