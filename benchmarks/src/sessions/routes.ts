import { isSize, type SessionData, sessionData } from "./session-data.js";

/**
 * The routes of every contender, and what they answer. The text of an answer is made here and sent as it is, so that nobody is measured
 * by how it makes JSON of two words.
 *
 *   POST /login/<size>/<n>   makes a session with the data of user n, sets its cookie
 *   GET  /me                 reads the session and moves its expiry; says whose it is
 *   POST /note/<digits>      changes one field of the session; says whose it is
 *   GET  /note               says what that field holds
 */
export const ROUTES = { login: "/login/:size/:n", me: "/me", changeNote: "/note/:digits", note: "/note" } as const;

/** How long a session lives without a request, seconds: the same for all. The proof's processes are given a shorter one. */
export const IDLE_SECONDS = Number(process.env.BENCH_IDLE_SECONDS ?? 1_800);

/** The content type of all answers. */
export const JSON_TYPE = "application/json; charset=utf-8";

/** What a contender without sessions answers to everything; as long as the others' answers. */
export const CONSTANT_ANSWER = userAnswer("user-00000");

export interface LoginParams {
  readonly size: string;
  readonly n: string;
}

export interface NoteParams {
  readonly digits: string;
}

/** The data that a login keeps. */
export function loginData({ size, n }: LoginParams): SessionData {
  if (isSize(size)) return sessionData(size, Number(n));
  throw new Error(`expected a size of the scenarios, got ${size}`);
}

/** Undefined: nobody is signed in. */
export function userAnswer(user: string | undefined): string {
  return user === undefined ? '{"user":null}' : `{"user":"${user}"}`;
}

export function noteAnswer(note: string | undefined): string {
  return JSON.stringify({ note: note ?? null });
}

/** The changed field, as long as it was. */
export function changedNote(was: string, { digits }: NoteParams): string {
  return digits.padEnd(was.length, ".").slice(0, Math.max(was.length, digits.length));
}
